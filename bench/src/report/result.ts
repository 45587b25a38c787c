/** What a run measured, as it is written to a file and read again. */
import { type Case, type Contestant, caseKey, isYardstick, type Measured } from '../case.js';
import { median } from '../workloads/stopwatch.js';

export interface Result {
  readonly revision: string;
  readonly at: string;
  readonly machine: { readonly cpus: number; readonly model: string; readonly memoryGb: number; readonly node: string };
  readonly rows: readonly Row[];
}

/** All repetitions of one case. */
export interface Row {
  readonly asked: Case;
  /** Set where a run measures two revisions: the other one. */
  readonly revision?: string;
  /** `null` for a repetition that failed. */
  readonly runs: readonly (Measured | null)[];
}

export interface Summary {
  readonly key: string;
  readonly contestant: Contestant;
  readonly revision: string | undefined;
  /** Medians over the repetitions. */
  readonly opsPerSecond: number;
  readonly ms: number;
  /** Its time against that of the case's yardstick in the same repetition; `undefined` for the yardstick itself. */
  readonly timesYardstick: number | undefined;
  readonly yardstick: Contestant | undefined;
  readonly parts: Readonly<Record<string, number>>;
  readonly wireBytes: number;
  readonly peakHeapBytes: number;
  readonly keptHeapBytes: number;
  readonly clientCpuMs: number;
  readonly serverCpuMs: number;
  readonly isVerified: boolean;
}

/** One line for each row, with the ratio to the first yardstick of its case. */
export function summarize(rows: readonly Row[]): readonly Summary[] {
  return rows.map((row) => {
    const key = caseKey(row.asked);
    const yardstick = rows.find(({ asked }) => caseKey(asked) === key && isYardstick(asked.contestant));
    const runs = row.runs.filter((run) => run !== null);
    const of = (value: (run: Measured) => number) => median(runs.map(value));
    const parts = Object.keys(runs[0]?.parts ?? {}).map((name) => [name, of(({ parts }) => parts?.[name] ?? 0)]);
    return {
      key,
      contestant: row.asked.contestant,
      revision: row.revision,
      opsPerSecond: of(({ ops, ms }) => (1000 * ops) / ms),
      ms: of(({ ms }) => ms),
      timesYardstick: yardstick && yardstick !== row ? ratio(row, yardstick) : undefined,
      yardstick: yardstick?.asked.contestant,
      parts: Object.fromEntries(parts),
      wireBytes: of(({ used }) => used?.wireBytes ?? 0),
      peakHeapBytes: of(({ used }) => used?.peakHeapBytes ?? 0),
      keptHeapBytes: of(({ used }) => used?.keptHeapBytes ?? 0),
      clientCpuMs: of(({ used }) => used?.clientCpuMs ?? 0),
      serverCpuMs: of(({ used }) => used?.serverCpuMs ?? 0),
      isVerified: runs.length > 0 && row.runs.every((run) => run?.isVerified),
    };
  });
}

/** The median of how many times longer `row` took than `other`, each time in the same repetition. */
export function ratio(row: Row, other: Row): number {
  const ratios = row.runs.flatMap((run, index) => {
    const against = other.runs[index];
    return run && against ? [run.ms / against.ms] : [];
  });
  return median(ratios);
}
