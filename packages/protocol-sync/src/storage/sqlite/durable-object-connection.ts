/** The SQLite of a Durable Object: a transaction is a function there, and the platform sets up the connection. */
import type { DurableObjectDatabase, DurableObjectSql } from '@objectql/sync-types';
import type { SavepointVerb } from '../transaction-scope.js';
import { SqliteConnection } from './sqlite-connection.js';

/** Nobody else writes to an object's database, and what leaves the object waits until its writes are safe. */
export class DurableObjectConnection extends SqliteConnection {
  readonly #storage: DurableObjectSql;
  /** Ends each open savepoint, the innermost last. */
  readonly #ends: ((isKept: boolean) => Promise<void>)[] = [];

  constructor(database: DurableObjectDatabase) {
    super(database, { timeoutMs: 0, pause: async () => {} });
    this.#storage = database.storage;
  }

  override async configure(): Promise<void> {}

  override transaction<T>(work: () => Promise<T>): Promise<T> {
    return this.#storage.transaction(async () => {
      try {
        return await work();
      } finally {
        // An error that fails the whole transaction leaves its savepoints open. The platform would wait for their end, and
        // reset the object after 30 s.
        while (this.#ends.length > 0) await this.#ends.pop()?.(false);
      }
    });
  }

  /** Nothing comes in between within one turn. */
  override async snapshot<T>(work: () => T): Promise<T> {
    return work();
  }

  /** The platform fails a transaction as a whole. */
  override refuseLost(): void {}

  /** Each is about the innermost savepoint. */
  override async command(verb: SavepointVerb): Promise<void> {
    if (verb !== 'SAVEPOINT') await this.#ends.pop()?.(verb === 'RELEASE SAVEPOINT');
    // After a ROLLBACK TO, the savepoint is still there.
    if (verb !== 'RELEASE SAVEPOINT') await this.#begin();
  }

  /** A savepoint is a transaction within the open one, whose function waits to be told its end. */
  #begin(): Promise<void> {
    return new Promise((begun, refused) => {
      const work = async () => {
        const isKept = await new Promise<boolean>((decide) => {
          this.#ends.push((kept) => {
            decide(kept);
            return ended;
          });
          begun();
        });
        if (!isKept) throw UNDONE;
      };
      const ended = this.#storage.transaction(work).catch((error: unknown) => {
        if (error !== UNDONE) throw error;
      });
      // Changes nothing once it has begun: then whoever ends it is told.
      ended.catch(refused);
    });
  }
}

const UNDONE = new Error('The savepoint is undone.');
