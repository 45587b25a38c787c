/** Which cases a run has. */
import type { Case, Contestant, WorkloadId } from './case.js';

interface Entry {
  readonly workload: WorkloadId;
  readonly sizes: readonly number[];
  readonly quickSizes: readonly number[];
  /** The yardstick comes first: ratios are against it. */
  readonly contestants: readonly Contestant[];
  readonly batches?: readonly (number | undefined)[];
}

const PLAN: readonly Entry[] = [
  {
    workload: 'W1',
    sizes: [10_000],
    quickSizes: [1000],
    contestants: ['floor', 'memory', 'sqlite', 'postgres'],
    batches: [undefined, 1000],
  },
  {
    workload: 'W1s',
    sizes: [10_000],
    quickSizes: [1000],
    contestants: ['raw-sqlite', 'raw-postgres', 'memory', 'sqlite', 'postgres'],
    batches: [undefined, 1000],
  },
  { workload: 'W2', sizes: [10_000], quickSizes: [1000], contestants: ['floor', 'memory', 'sqlite', 'postgres'] },
  {
    workload: 'W3',
    sizes: [100_000],
    quickSizes: [5000],
    contestants: ['floor', 'raw-json', 'memory', 'sqlite', 'postgres'],
  },
  {
    workload: 'W4',
    sizes: [1000, 10_000, 100_000],
    quickSizes: [1000],
    contestants: ['raw-sqlite', 'floor', 'memory', 'sqlite'],
  },
  {
    workload: 'W5',
    sizes: [1000, 100_000],
    quickSizes: [1000, 5000],
    contestants: ['floor', 'memory', 'sqlite', 'postgres'],
  },
  { workload: 'W6', sizes: [1_000_000], quickSizes: [200_000], contestants: ['floor', 'memory'] },
  { workload: 'W7', sizes: [1000], quickSizes: [5], contestants: ['floor', 'memory', 'sqlite', 'postgres'] },
  // Not in the short run: to load ObjectStack takes seconds, and tests hold the number of statements.
  { workload: 'W8', sizes: [1000, 5000], quickSizes: [], contestants: ['raw-engine', 'engine', 'engine-push'] },
];

export interface Wanted {
  /** A short run of small sizes, without PostgreSQL. */
  readonly isQuick: boolean;
  /** All when absent. */
  readonly workloads?: readonly string[] | undefined;
  readonly contestants?: readonly string[] | undefined;
  /** Instead of the plan's own. */
  readonly size?: number | undefined;
  readonly batch?: number | undefined;
}

/** The cases wanted, those to be compared beside each other; `postgresUrl` is still to be filled in. */
export function planCases(wanted: Wanted): readonly Case[] {
  const { isQuick, workloads, contestants, size, batch } = wanted;
  return PLAN.filter(({ workload }) => workloads?.includes(workload) ?? true).flatMap((entry) => {
    const sizes = size === undefined ? (isQuick ? entry.quickSizes : entry.sizes) : [size];
    const batches =
      entry.batches && batch !== undefined ? [batch] : isQuick ? [undefined] : (entry.batches ?? [undefined]);
    return sizes.flatMap((n) =>
      batches.flatMap((b) =>
        entry.contestants
          .filter((contestant) => contestants?.includes(contestant) ?? !(isQuick && needsPostgres(contestant)))
          .map((contestant): Case => {
            return { workload: entry.workload, contestant, size: n, ...(b === undefined ? {} : { batch: b }) };
          }),
      ),
    );
  });
}

export function needsPostgres(contestant: Contestant): boolean {
  return contestant === 'postgres' || contestant === 'raw-postgres';
}
