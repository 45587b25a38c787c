/** Who may read and write what. */
import type { JsonObject, MutationLogEntry, RecordId } from '@objectql/sync-types';
import type { Principal } from './principal.js';

export interface ReadQuestion {
  readonly principal: Principal | null;
  readonly objectName: string;
  readonly recordId: RecordId;
  /** The record as it is now; `null` when it is deleted. */
  readonly record: JsonObject | null;
}

export interface WriteQuestion {
  readonly principal: Principal | null;
  readonly mutation: MutationLogEntry;
  /** The record before the write; `null` when there is none. */
  readonly record: JsonObject | null;
}

/**
 * `allow` sends the record; `hide` sends nothing, as if it did not exist; `forget` sends a bare delete, so that devices
 * which once had the record drop it (it tells them that the id exists).
 */
export type ReadPermission = 'allow' | 'hide' | 'forget';

/** The application's rules. What is left out is allowed. */
export interface Authorize {
  /** Asked for every record before it leaves the server, in changes, results and conflicts. */
  read?(question: ReadQuestion): ReadPermission | Promise<ReadPermission>;
  /** Asked for every mutation: `true`, or `false` for `rejected FORBIDDEN`. */
  write?(question: WriteQuestion): boolean | Promise<boolean>;
  /**
   * A text that changes when what the principal may read changes other than by a record's own change (a new role, a new
   * team). Clients then walk the feed anew and drop what they may no longer read.
   */
  scope?(principal: Principal | null): string | Promise<string>;
}
