/** What the short run may cost at most, as times the yardstick: far above what it does cost, so that noise never fails it. */
import type { Variant, WorkloadId } from '../case.js';
import type { Summary } from './result.js';

const LIMITS: Readonly<Partial<Record<WorkloadId, Readonly<Partial<Record<Variant, number>>>>>> = {
  W1: { memory: 40, sqlite: 80 },
  W1s: { memory: 15, sqlite: 20 },
  W2: { memory: 40, sqlite: 80 },
  W3: { memory: 20, sqlite: 30 },
  W4: { memory: 10, sqlite: 30 },
  W5: { memory: 30, sqlite: 60 },
  W6: { memory: 20 },
  W7: { memory: 20, sqlite: 40 },
};

/** One sentence for each line that is wrong or far outside; none when all is well. */
export function findFaults(lines: readonly Summary[]): readonly string[] {
  return lines.flatMap((line) => {
    const { key, contestant, timesYardstick, yardstick, isVerified } = line;
    if (!isVerified) return [`${key} by ${contestant} ended with a wrong result.`];
    // The key begins with the workload's id.
    const limit = LIMITS[key.split(' ')[0] as WorkloadId]?.[contestant as Variant];
    if (limit === undefined || timesYardstick === undefined || timesYardstick <= limit) return [];
    return [
      `${key} by ${contestant} took ${timesYardstick.toFixed(1)} times as long as ${yardstick}; ${limit} are allowed.`,
    ];
  });
}
