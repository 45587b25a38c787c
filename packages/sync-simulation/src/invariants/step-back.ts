/** I5 on a device: outside of a walk, neither its records nor its place in the feed go back. */
import type { StorageBatch } from '@objectql/plugin-sync';
import { nameOf } from '../record-name.js';
import type { Shadow } from '../shadow.js';
import { readPlace } from './checkpoint.js';

/** The first thing that a batch sets back, given what was durable before it. */
export function findStepBack(
  { meta, putRecords = [], sweepWalk }: StorageBatch,
  before: Pick<Shadow, 'meta' | 'records'>,
): string | undefined {
  const [was, is] = [readPlace(before.meta?.checkpoint), readPlace(meta?.checkpoint)];
  // A walk goes through the feed once more, and another feed is always walked.
  if (!was || !is || before.meta?.walk || meta?.walk || sweepWalk) return undefined;
  if (is.place < was.place) return `The checkpoint went from place ${was.place} back to ${is.place}.`;
  for (const record of putRecords) {
    const known = before.records.get(nameOf(record));
    if (known && record.version < known.version) {
      return `${nameOf(record)} went from v${known.version} back to v${record.version}.`;
    }
  }
  return undefined;
}
