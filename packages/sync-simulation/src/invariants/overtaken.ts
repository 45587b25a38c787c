/**
 * I3: while the server remembers a log that no clone shares, none of its mutations comes too late to keep their order.
 */
import type { StorageBatch } from '@objectql/plugin-sync';
import type { Disk } from '../disk.js';
import type { ServerTruth } from '../server-truth.js';

/** The first mutation that was wrongly refused as overtaken. */
export function findOvertaken(
  { putDeadLetters = [] }: StorageBatch,
  { isCloned, setAside, shadow }: Pick<Disk, 'isCloned' | 'setAside' | 'shadow'>,
  truth: Pick<ServerTruth, 'isRestored' | 'floorOf'>,
): string | undefined {
  const floor = truth.floorOf(shadow.meta?.logId ?? '');
  const refused = putDeadLetters.find(
    ({ code, id, mutation }) =>
      code === 'OUTCOME_EXPIRED' && !isCloned && !truth.isRestored && !setAside.has(id) && mutation.sequence > floor,
  );
  return refused?.id;
}
