/** How the server reads and writes an application's own records. */
import {
  type Json,
  type JsonObject,
  type MutationLogEntry,
  RETRYABLE_CODES,
  type RecordId,
  type RejectionCode,
  TERMINAL_CODES,
} from '@objectql/sync-types';
import type { Claims, Identified, Principal } from '../principal.js';

/** What a write happens in. */
export interface WriteContext<Caller extends Identified = Principal> {
  /** Who asked for the write; `null` where nobody is authenticated. */
  readonly principal: Claims<Caller> | null;
  /** The store's open transaction (a SQLite handle, a `pg` client) for a `transactional` resolver; `undefined` otherwise. */
  readonly transaction: unknown;
  /** Aborted when the server stops waiting: give up, and write nothing more. */
  readonly signal: AbortSignal;
}

/**
 * Reads and writes the application's records. `getRecord` and `applyMutation` alone are enough.
 *
 * Without `transactional`, a write is announced, then made, then confirmed: after a crash in between, the server asks
 * `getRecord` whether the write is there and makes it again if not, so `applyMutation` may be called twice for one
 * mutation and must then leave the record as after one call.
 *
 * `RecordResolver<Member>` is told of the `Member` that `authenticate` answers, as `Authorize<Member>` is.
 */
export interface RecordResolver<Caller extends Identified = Principal> {
  /** The record as the application has it, or nothing when there is none. Fields named `_id` and `_version` are left out. */
  getRecord(
    objectName: string,
    recordId: RecordId,
    context: WriteContext<Caller>,
  ): Promise<object | null | undefined> | object | null | undefined;
  /**
   * Makes the write. `mutation.data` holds the fields to write, already merged: what lost a conflict is not in it.
   * A record that is returned, whole, is what was stored, and what others will be sent; return it when hooks or defaults
   * change what is written. Throw `RejectionError` to refuse for good; any other error is retried.
   */
  applyMutation(
    mutation: MutationLogEntry,
    serverVersion: number,
    context: WriteContext<Caller>,
    // biome-ignore lint/suspicious/noConfusingVoidType: an async method that returns nothing has type Promise<void>.
  ): Promise<object | null | undefined | void> | object | null | undefined | void;
  /**
   * True when `applyMutation` writes through `context.transaction`: record, version, feed and ledger then commit
   * together, and every mutation is applied exactly once, whatever crashes.
   */
  readonly transactional?: boolean;
}

const REJECTION_CODES: readonly string[] = [...TERMINAL_CODES, ...RETRYABLE_CODES];

/** Refuses a mutation for good: thrown by a resolver, it reaches the client as a rejection with this code and reason. */
export class RejectionError extends Error {
  override readonly name = 'RejectionError';
  readonly code: RejectionCode;

  /** `reason` is shown to the client's user; put no secrets in it. Throws `TypeError` for a code that is none. */
  constructor(code: RejectionCode, reason: string) {
    super(reason);
    // No client would take the answer it stands in: JavaScript, or a cast, brings any text here.
    if (!REJECTION_CODES.includes(code)) {
      throw new TypeError(`RejectionError: ${code} is no code. Known: ${REJECTION_CODES.join(', ')}.`);
    }
    this.code = code;
  }
}

/** Keeps the records in the sync store itself, so that a server needs no other database. The default. */
export const storeResolver: RecordResolver = {
  transactional: true,
  getRecord: () => undefined,
  applyMutation: () => undefined,
};

/**
 * The application's record as plain fields: `_id` and `_version` are bookkeeping that resolvers keep beside them. Throws `TypeError` for
 * what is no object to JSON, as an id of a database's own kind.
 */
export function toFields(record: object): JsonObject {
  // Through JSON, because databases hand out dates and class instances where the wire has strings.
  const plain: unknown = JSON.parse(JSON.stringify(record));
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw new TypeError('To JSON this is no object of fields. Return the record itself, or nothing.');
  }
  const { _id, _version, ...fields } = plain as Record<string, Json>;
  return fields;
}
