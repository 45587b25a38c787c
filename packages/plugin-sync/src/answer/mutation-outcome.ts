/** What became of a mutation. */
import type { ToldRejectionCode } from '@objectql/sync-types';
import type { ParkedConflict } from '../storage/client-storage.js';

/** What became of a mutation: `status` is `applied`, `conflict` (it waits for the user) or `rejected`. */
export type MutationOutcome =
  /**
   * The server has it at this version of the record, except for the fields that lost against a later or protected
   * value.
   */
  | { readonly status: 'applied'; readonly version: number; readonly droppedFields: readonly string[] }
  /** It waits in the conflict list. */
  | ({ readonly status: 'conflict' } & ParkedConflict)
  /** It lies in the dead-letter list. */
  | { readonly status: 'rejected'; readonly code: ToldRejectionCode; readonly reason: string };
