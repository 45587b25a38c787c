/**
 * The transactions of a local data engine that write synced records. On PostgreSQL they run beside each other, and so
 * take turns; SQLite has one writer. On an engine that is also a server's, they take the server's turn first.
 */
import {
  commitTransaction,
  type DataEngine,
  type EngineFeed,
  type EngineTransactionInfo,
  isPostgres,
  probeOrganizations,
  transactionAround,
} from '@objectql/sync-types/kernel';
import { KNOWN } from './local-objects.js';

/** Runs work that must not see the transaction of the code that happens to call it. */
export type Outside = <T>(work: () => T) => T;

export class EngineTurns {
  readonly #engine: DataEngine;
  /** The server's, if there is one. */
  readonly #feed: EngineFeed | undefined;
  readonly #outside: Outside;
  #isPrepared = false;

  constructor(engine: DataEngine, feed: EngineFeed | undefined, outside: Outside) {
    this.#engine = engine;
    this.#feed = feed;
    this.#outside = outside;
  }

  /**
   * Runs `work` in the transaction that is `given`, in that of the running code, or in a new one, which is committed when
   * this resolves; given `null`, never in that of the running code. Other transactions that write synced records wait
   * until that ends: one would otherwise compare its record with what another is about to replace, or write over what
   * another has not committed yet.
   */
  async transaction<T>(work: (info: EngineTransactionInfo) => Promise<T>, given?: unknown): Promise<T> {
    if (given === null && (await transactionAround(this.#engine))) return this.#outside(() => this.#apart(work));
    const isGiven = given !== undefined && given !== null;
    const inTurn = async (info: EngineTransactionInfo) => {
      await this.#lock(info.transaction);
      return work(info);
    };
    const run = () =>
      isGiven ? inTurn({ transaction: given, owned: false }) : commitTransaction(this.#engine, inTurn);
    if (!isGiven) await this.#prepare();
    return this.#feed ? this.#feed.around(run, isGiven ? given : undefined) : run();
  }

  /** Takes no turn: the running code's transaction may have it, and its code waits for this. */
  async #apart<T>(work: (info: EngineTransactionInfo) => Promise<T>): Promise<T> {
    await this.#prepare();
    return commitTransaction(this.#engine, work);
  }

  /**
   * Within a transaction of the application it does nothing: PostgreSQL may refuse the first insert of a process there,
   * with sync and without.
   */
  async #prepare(): Promise<void> {
    if (this.#isPrepared) return;
    const { owned, transaction } = await commitTransaction(this.#engine, async (info) => info);
    if (!owned) return;
    if (isPostgres(transaction)) await probeOrganizations(this.#engine);
    this.#isPrepared = true;
  }

  async #lock(transaction: unknown): Promise<void> {
    if (!isPostgres(transaction)) return;
    // Takes no snapshot, so a transaction of any isolation then reads what was committed meanwhile. Not the outbox: what
    // is recorded is removed from there at any time.
    await this.#engine.execute(`LOCK TABLE ${KNOWN} IN SHARE ROW EXCLUSIVE MODE`, { transaction });
  }
}
