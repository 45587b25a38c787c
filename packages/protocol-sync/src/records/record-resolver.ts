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

/** The circumstances of a write. */
export interface WriteContext<Caller extends Identified = Principal> {
  /** The principal that asked for the write; `null` if nobody is authenticated. */
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
  /** The application's record, or nothing when there is none. Fields named `_id` and `_version` are left out. */
  getRecord(
    objectName: string,
    recordId: RecordId,
    context: WriteContext<Caller>,
  ): Promise<object | null | undefined> | object | null | undefined;
  /**
   * Makes the write. `mutation.data` holds the fields to write, already merged: fields that lost a conflict are left
   * out. A returned record must be whole: it is what was stored, and is sent to others. Return it when hooks or
   * defaults change what is written. Throw `RejectionError` to refuse; any other error is retried.
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

/** A resolver throws it to refuse a mutation with this code and reason: for good, unless clients try the code again. */
export class RejectionError extends Error {
  override readonly name = 'RejectionError';
  readonly code: RejectionCode;

  /** `reason` is shown to the client's user; put no secrets in it. Throws `TypeError` for an unknown code. */
  constructor(code: RejectionCode, reason: string) {
    super(reason);
    // JavaScript, or a cast, may pass any text, and no client would accept an answer that holds it.
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
 * The application's record as plain fields, without `_id` and `_version`, which resolvers keep for themselves. Throws
 * `TypeError` for a value that JSON does not write as an object, such as a database's own kind of id.
 */
export function toFields(record: object): JsonObject {
  // Through JSON, because databases return dates and class instances where the wire has strings.
  const plain: unknown = JSON.parse(JSON.stringify(record));
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw new TypeError('To JSON this is no object of fields. Return the record itself, or nothing.');
  }
  const { _id, _version, ...fields } = plain as Record<string, Json>;
  return fields;
}
