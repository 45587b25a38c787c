/**
 * Calls an application's resolver without trusting it: it may throw, hang, or return something that is not a record.
 */
import { findJsonProblem, type JsonObject, MAX_FIELDS, MAX_JSON_DEPTH, type RecordRef } from '@objectql/sync-types';
import { inTime } from '../platform/in-time.js';
import type { Platform } from '../platform/platform.js';
import type { Principal } from '../principal.js';
import type { PlannedWrite } from '../push/judge.js';
import { ownMutation } from '../storage/own-copy.js';
import { type RecordResolver, storeResolver, toFields, type WriteContext } from './record-resolver.js';

export interface CallOptions {
  readonly platform: Platform;
  readonly timeoutMs: number;
  readonly principal: Principal | null;
  readonly signal?: AbortSignal | undefined;
}

/** The resolver did not answer in time; nobody knows whether it wrote. */
export class ResolverTimeoutError extends Error {
  override readonly name = 'ResolverTimeoutError';
}

export class ResolverCaller {
  readonly #resolver: RecordResolver;
  readonly #options: CallOptions;

  constructor(resolver: RecordResolver, options: CallOptions) {
    this.#resolver = resolver;
    this.#options = options;
  }

  /** The application's record, or `undefined` when it has none. */
  async getRecord({ objectName, recordId }: RecordRef, transaction: unknown): Promise<JsonObject | undefined> {
    if (this.#resolver === storeResolver) return undefined;
    const found = await this.#bounded(transaction, (context) =>
      this.#resolver.getRecord(objectName, recordId, context),
    );
    return found === null || found === undefined ? undefined : toRecord(found, 'getRecord');
  }

  /** Makes the write; answers what was stored if the resolver returns it. */
  async applyMutation({ mutation, state }: PlannedWrite, transaction: unknown): Promise<JsonObject | undefined> {
    if (this.#resolver === storeResolver) return undefined;
    // A deep copy, because the ledger and the feed remember what the client said, and the resolver may change its copy.
    const own = ownMutation(mutation);
    const stored = await this.#bounded(transaction, (context) =>
      this.#resolver.applyMutation(own, state.version, context),
    );
    // A delete leaves no record, whatever the driver returns for it.
    if (stored === null || stored === undefined || mutation.operation === 'delete') return undefined;
    return toRecord(stored, 'applyMutation');
  }

  async #bounded<T>(transaction: unknown, call: (context: WriteContext) => T): Promise<Awaited<T>> {
    const { platform, timeoutMs, principal, signal } = this.#options;
    const gaveUp = new AbortController();
    const giveUp = () => {
      const error = new ResolverTimeoutError(`The resolver did not answer within ${timeoutMs} ms.`);
      gaveUp.abort(error);
      return error;
    };
    const context = {
      principal,
      transaction,
      signal: signal ? AbortSignal.any([signal, gaveUp.signal]) : gaveUp.signal,
    };
    return await inTime(Promise.resolve(context).then(call), { timeoutMs, platform }, giveUp);
  }
}

/**
 * The keys by which drivers' answers to a statement are recognized: of SQLite, PostgreSQL and MongoDB. A resolver that
 * is an arrow function may return one, and every device would get it as the record.
 */
const DRIVER_ANSWERS: readonly (readonly string[])[] = [
  ['changes', 'lastInsertRowid'],
  ['command', 'rowCount', 'rows'],
  ['acknowledged', 'insertedId'],
  ['acknowledged', 'matchedCount'],
];

function toRecord(value: unknown, method: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new TypeError(`The resolver's ${method} returned ${typeof value}, not a record.`);
  }
  if (DRIVER_ANSWERS.some((names) => names.every((name) => name in value))) {
    const instead = 'the record itself, or nothing';
    throw new TypeError(`The resolver's ${method} returned what a database driver answers. Return ${instead}.`);
  }
  const fields = toFields(value);
  const found = findJsonProblem(fields, { maxDepth: MAX_JSON_DEPTH });
  if (found) throw new TypeError(`The resolver's ${method} returned no JSON record: ${found.path} ${found.problem}.`);
  // No client would accept an answer that holds it, nor anything that follows.
  if (Object.keys(fields).length > MAX_FIELDS) {
    throw new TypeError(`The resolver's ${method} returned a record of more than ${MAX_FIELDS} fields.`);
  }
  return fields;
}
