/**
 * What PostgreSQL needs as a local data engine's database, because it runs transactions beside each other. SQLite has
 * one writer, and needs none of it.
 */
import { commitTransaction, type DataEngine, isPostgres, probeOrganizations } from '@objectql/sync-types/kernel';
import { OUTBOX } from './local-objects.js';

export class EngineTurns {
  readonly #engine: DataEngine;
  #isPrepared = false;

  constructor(engine: DataEngine) {
    this.#engine = engine;
  }

  /**
   * Call before a transaction. Within one of the application it does nothing: PostgreSQL may refuse the first insert of
   * a process there, with sync and without.
   */
  async prepare(): Promise<void> {
    if (this.#isPrepared) return;
    const { owned, transaction } = await commitTransaction(this.#engine, async (info) => info);
    if (!owned) return;
    if (isPostgres(transaction)) await probeOrganizations(this.#engine);
    this.#isPrepared = true;
  }

  /**
   * Keeps other transactions that write synced records waiting until this one ends. One would otherwise compare its
   * record with what another is about to replace, or write over what another has not committed yet.
   */
  async take(transaction: unknown): Promise<void> {
    if (!isPostgres(transaction)) return;
    // Takes no snapshot, so a transaction of any isolation then reads what was committed meanwhile.
    await this.#engine.execute(`LOCK TABLE ${OUTBOX} IN SHARE ROW EXCLUSIVE MODE`, { transaction });
  }
}
