/** One life of a process that has a local data engine: what it asks of the world may fail, or be the last thing it does. */
import type { ClientStorage } from '@objectql/plugin-sync';
import type { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';

/** The calls from the `nth` on, from 0, fail or end the process, before they do anything or after they have done all. */
export interface Fault {
  readonly of: 'database' | 'storage' | 'network';
  readonly nth: number;
  readonly times: number;
  readonly when: 'before' | 'after';
  readonly does: 'fail' | 'die';
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** A transaction of the driver, and how it ends. */
interface Transaction {
  commit: () => Promise<unknown>;
  rollback: () => Promise<unknown>;
}

/** One that is under way. */
interface Open {
  readonly rollback: () => Promise<unknown>;
  committing?: Promise<unknown>;
}

const OF_DRIVER = [
  ...['find', 'findOne', 'count', 'create', 'bulkCreate', 'update', 'updateMany', 'delete', 'deleteMany'],
  ...['beginTransaction', 'execute', 'commit'],
];
const OF_STORAGE = ['load', 'commit', 'getRecords', 'listRecords'];

export class ProcessLife {
  /** Resolves at its end; what it asks from then on is never answered. */
  readonly over: Promise<void>;
  isOver = false;
  #end = () => {};
  #fault: Fault | undefined;
  #calls = 0;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #open = new Map<Transaction, Open>();

  constructor() {
    this.over = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  arm(fault: Fault | undefined): void {
    this.#fault = fault;
    this.#calls = 0;
  }

  end(): void {
    this.isOver = true;
    this.#end();
  }

  /** A call to what is outside of the process; `isAnswered` if only the end of the process can take its answer away. */
  async call<T>(of: Fault['of'], work: () => Promise<T>, { isAnswered = false } = {}): Promise<T> {
    if (this.isOver) return never();
    const fault = this.#next(of);
    if (fault?.when === 'before') return this.#suffer(fault);
    const answer = await work();
    if (this.isOver) return never();
    if (!fault || fault !== this.#fault || (isAnswered && fault.does === 'fail')) return answer;
    return this.#suffer(fault);
  }

  /** The database as this process reaches it. */
  driver(base: SqliteWasmDriver): SqliteWasmDriver {
    const begin = () => this.#begin(base);
    return new Proxy(base, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        if (name === 'connect' || name === 'disconnect') return async () => {};
        if (name === 'beginTransaction') return begin;
        if (!OF_DRIVER.includes(String(name))) return method.bind(target);
        // SQLite runs in the process: a commit that it made is never told to have failed.
        const answering = { isAnswered: name === 'commit' };
        return (...args: readonly unknown[]) =>
          this.call('database', () => this.#follow(name, (method as Method).apply(target, [...args])), answering);
      },
    });
  }

  /** The client's storage as this process reaches it. */
  storage(base: ClientStorage): ClientStorage {
    return new Proxy(base, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        if (!OF_STORAGE.includes(String(name))) return method.bind(target);
        return (...args: readonly unknown[]) => this.call('storage', () => (method as Method).apply(target, [...args]));
      },
    });
  }

  /** Takes back what had not committed at the end, as a database does when a process is gone. */
  async takeBack(): Promise<void> {
    // Before what is under way, which may wait for the connection.
    for (const { rollback, committing } of this.#open.values()) await (committing ?? rollback()).catch(() => {});
    await Promise.allSettled(this.#underWay);
  }

  /** The fault that this call meets. */
  #next(of: Fault['of']): Fault | undefined {
    if (this.#fault?.of !== of) return undefined;
    const past = this.#calls - this.#fault.nth;
    this.#calls += 1;
    return past >= 0 && past < this.#fault.times ? this.#fault : undefined;
  }

  #suffer({ of, when, does }: Fault): Promise<never> {
    if (does === 'fail') return Promise.reject(new Error(`The ${of} fails ${when} it has done what it was asked.`));
    this.end();
    return never();
  }

  /** Its end is awaited by whoever takes back; that of a commit is told by its transaction. */
  #follow(name: PropertyKey, work: Promise<unknown>): Promise<unknown> {
    if (name === 'commit') return work;
    this.#underWay.add(work);
    return work.finally(() => this.#underWay.delete(work));
  }

  async #begin(base: SqliteWasmDriver): Promise<unknown> {
    let begun: Transaction | undefined;
    try {
      return await this.call('database', async () => {
        // A cast: it is one of Knex.
        begun = (await base.beginTransaction()) as unknown as Transaction;
        return this.#keep(begun);
      });
    } catch (error) {
      // Nobody else would end a transaction of which nobody has heard.
      await begun?.rollback();
      throw error;
    }
  }

  #keep(transaction: Transaction): Promise<never> | Transaction {
    const [commit, rollback] = [transaction.commit.bind(transaction), transaction.rollback.bind(transaction)];
    if (this.isOver) {
      void rollback().catch(() => {});
      return never();
    }
    const open: Open = { rollback };
    this.#open.set(transaction, open);
    const ending = (end: () => Promise<unknown>) => () =>
      this.isOver ? never() : end().finally(() => this.#open.delete(transaction));
    transaction.commit = ending(() => {
      open.committing = commit();
      return open.committing;
    });
    transaction.rollback = ending(rollback);
    return transaction;
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
