/**
 * What all stores require of the work in their transactions. A caller's mistake then fails in the same way on every
 * store, not only on the one where it would lose an update.
 */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import { RecordSet } from '../records/record-set.js';
import { leaseHandle } from './leased-handle.js';
import {
  type Loaded,
  type LoadRequest,
  logsIn,
  type Saved,
  type SaveRequest,
  StoreBusyError,
  type StoreTransaction,
} from './sync-store.js';

/** What is done with a savepoint, in SQL. */
export type SavepointVerb = 'SAVEPOINT' | 'RELEASE SAVEPOINT' | 'ROLLBACK TO SAVEPOINT';

/** An open transaction as a database offers it, without the checks that stores require. */
export interface RawTransaction {
  readonly handle: unknown;
  /** Asks for each record once. */
  load(request: LoadRequest): Promise<Loaded>;
  save(request: SaveRequest): Promise<Saved>;
  /** Executes it for the savepoint of this name. */
  command(verb: SavepointVerb, name: string): Promise<void>;
  /** Whether an error of the work's own statements breaks the transaction beyond what a savepoint can undo. */
  isFatal(error: unknown): boolean;
}

/**
 * Runs `work` on an open transaction. When it resolves, the transaction may be committed. When it throws, the error is
 * the one that failed the transaction, even if `work` caught it and went on.
 */
export async function runInScope<T>(
  raw: RawTransaction,
  work: (transaction: StoreTransaction) => Promise<T>,
): Promise<T> {
  const scope = new TransactionScope(raw);
  try {
    const result = await work(scope);
    scope.refuseDoomed();
    return result;
  } catch (error) {
    throw scope.doom?.error ?? error;
  } finally {
    scope.end();
  }
}

/** How long a lent handle works: for the transaction, or one of its savepoints. */
interface Tenure {
  isOver: boolean;
}

class TransactionScope implements StoreTransaction {
  readonly #raw: RawTransaction;
  readonly #loaded = new RecordSet();
  readonly #loadedLogIds = new Set<string>();
  #isLoaded = false;
  #isSaved = false;
  /** The transaction's tenure, then those of the open savepoints. */
  readonly #tenures: [Tenure, ...Tenure[]] = [{ isOver: false }];
  /** The error that failed the transaction. */
  doom: { readonly error: unknown } | undefined;

  constructor(raw: RawTransaction) {
    this.#raw = raw;
  }

  get handle(): unknown {
    this.#refuseEnded();
    const tenure = this.#tenures.at(-1) ?? this.#tenures[0];
    return leaseHandle(this.#raw.handle, () => tenure.isOver);
  }

  async load(request: LoadRequest): Promise<Loaded> {
    this.#refuseEnded();
    return this.#orDoom(() => {
      if (this.#isLoaded || this.#isSaved) {
        throw new Error('A transaction loads once, before it saves. Ask for everything in one load.');
      }
      this.#isLoaded = true;
      for (const { logId } of logsIn(request)) this.#loadedLogIds.add(logId);
      return this.#raw.load({ ...request, records: request.records.filter((ref) => this.#loaded.add(ref)) });
    });
  }

  async save(request: SaveRequest): Promise<Saved> {
    this.#refuseEnded();
    return this.#orDoom(() => {
      this.#isSaved = true;
      this.#refuseUnloaded(request);
      // It may be committed from here on, so nothing can be added any more.
      if (request.isLast) this.end();
      return this.#raw.save(request);
    });
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseEnded();
    const name = `objectql_${this.#tenures.length}`;
    await this.#command('SAVEPOINT', name);
    const tenure = { isOver: false };
    this.#tenures.push(tenure);
    try {
      const result = await work();
      this.#leave(tenure);
      this.refuseDoomed();
      // In PostgreSQL this fails if the work caught a statement's error, and is undone like the work itself.
      await this.#raw.command('RELEASE SAVEPOINT', name);
      return result;
    } catch (error) {
      this.#leave(tenure);
      if (this.#raw.isFatal(error)) this.doom ??= { error };
      await this.#command('ROLLBACK TO SAVEPOINT', name);
      await this.#command('RELEASE SAVEPOINT', name);
      throw error;
    }
  }

  /** Throws if the transaction can no longer commit: as busy, so that it does not count as one mutation's failure. */
  refuseDoomed(): void {
    if (!this.doom) return;
    throw new StoreBusyError('The transaction failed and is rolled back as a whole.', { cause: this.doom.error });
  }

  end(): void {
    for (const tenure of this.#tenures) tenure.isOver = true;
  }

  #leave(tenure: Tenure): void {
    tenure.isOver = true;
    if (this.#tenures.at(-1) === tenure) this.#tenures.pop();
  }

  #command(verb: SavepointVerb, name: string): Promise<void> {
    return this.#orDoom(() => this.#raw.command(verb, name));
  }

  async #orDoom<T>(work: () => Promise<T>): Promise<T> {
    this.refuseDoomed();
    try {
      return await work();
    } catch (error) {
      this.doom = { error };
      this.refuseDoomed();
      throw error;
    }
  }

  #refuseEnded(): void {
    if (!this.#tenures[0].isOver) return;
    throw new Error('This transaction has ended. Await everything that uses it inside its work.');
  }

  #refuseUnloaded(request: SaveRequest): void {
    const { records = [], intents = [] } = request;
    const isUnloaded = (ref: RecordRef) => !this.#loaded.has(ref);
    const unloaded = records.find(isUnloaded) ?? intents.find(isUnloaded);
    if (unloaded) {
      throw new Error(`Record ${recordKey(unloaded)} was not asked for in load: it may have changed. Load it first.`);
    }
    const log = logsIn(request).find(({ logId }) => !this.#loadedLogIds.has(logId));
    if (log) {
      throw new Error(`Log ${log.logId} was not asked for in load: it may have changed. Load it first.`);
    }
  }
}
