/** A record as the user sees it, and what a change made on top of it is based on. */
import type { RecordRef } from '@objectql/sync-types';
import { type LocalRecord, rebase } from '../records/rebase.js';
import type { SyncClient } from '../sync-client.js';

export interface SeenRecord {
  /** `undefined` where there is none. */
  readonly seen: LocalRecord | undefined;
  /** To be asked for when it is used: the record's own version may be one of a feed that is no more. */
  readonly baseVersion: () => number | null;
}

export async function readSeen({ records }: Pick<SyncClient, 'records'>, ref: RecordRef): Promise<SeenRecord> {
  const { base, pending, baseVersion } = await records.target(ref);
  return { seen: rebase(ref, base, pending), baseVersion };
}
