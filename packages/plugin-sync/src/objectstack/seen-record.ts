/** A record as the user sees it, and the base of a change made on top of it. */
import type { RecordRef } from '@objectql/sync-types';
import { type LocalRecord, rebase } from '../records/rebase.js';
import type { SyncClient } from '../sync-client.js';

export interface SeenRecord {
  /** `undefined` if there is none. */
  readonly seen: LocalRecord | undefined;
  /** Call it only when it is used: the record's version may belong to a feed that no longer exists. */
  readonly baseVersion: () => number | null;
}

export async function readSeen({ records }: Pick<SyncClient, 'records'>, ref: RecordRef): Promise<SeenRecord> {
  const { base, pending, baseVersion } = await records.target(ref);
  return { seen: rebase(ref, base, pending), baseVersion };
}
