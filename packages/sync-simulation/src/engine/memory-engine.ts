/**
 * A local data engine in memory, as one process of an app has it: the part of ObjectStack's that sync uses. It has one
 * connection, so code outside of a transaction waits for the open one.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type {
  DataEngine,
  EngineContext,
  EngineObject,
  EngineOperation,
  EngineOptions,
  EngineQuery,
  EngineRow,
  EngineWhere,
} from '@objectql/sync-types/kernel';
import type { Gate, GateParts } from '../gate.js';
import type { Actor, EngineDatabase, RowChange } from './engine-database.js';
import { EngineTransaction } from './engine-transaction.js';

type Middleware = Parameters<DataEngine['registerMiddleware']>[0];
type Hook = (operation: EngineOperation) => Promise<void>;

/** Probabilities, for a commit that sync makes by itself or for anything else. */
export type EngineFaults = (asked: 'commit of sync' | 'other') => ReturnType<GateParts['faults']>;

export interface MemoryEngineParts {
  readonly database: EngineDatabase;
  readonly gate: Gate;
  readonly faults: EngineFaults;
  readonly objects: readonly EngineObject[];
  /** Called at once with what a transaction has made durable. */
  readonly onCommit: (changes: readonly RowChange[]) => void;
  /** Changes the rows of an answer, if a rule is switched off. */
  readonly found?:
    | ((objectName: string, rows: readonly EngineRow[], query: EngineQuery) => readonly EngineRow[])
    | undefined;
  /** False for a row that is not inserted, if a rule is switched off. */
  readonly isInserted?: ((objectName: string) => boolean) | undefined;
  /** True if a refused transaction commits anyway, if a rule is switched off. */
  readonly isCommittedAnyway?: boolean | undefined;
  /** True for an object whose rows do not wait for their transaction, if a rule is switched off. */
  readonly isBesideTransactions?: ((objectName: string) => boolean) | undefined;
}

/** Shared by all engines: with every promise, Node 20 looks at each storage that was ever made. */
const ambient = new AsyncLocalStorage<EngineTransaction | undefined>();
const actor = new AsyncLocalStorage<Actor>();

export class MemoryEngine implements DataEngine {
  readonly registry: DataEngine['registry'];
  readonly #parts: MemoryEngineParts;
  readonly #middlewares: Middleware[] = [];
  readonly #hooks: Hook[] = [];
  #turn: Promise<unknown> = Promise.resolve();

  constructor(parts: MemoryEngineParts) {
    this.#parts = parts;
    const objects = new Map(parts.objects.map((object) => [object.name, object]));
    this.registry = {
      registerObject: (definition) => objects.set((definition as EngineObject).name, definition as EngineObject),
      getObject: (name) => objects.get(name),
      getAllObjects: () => [...objects.values()],
    };
  }

  /** True in code that the app runs. */
  get isOfApp(): boolean {
    return actor.getStore() === 'app';
  }

  /** Runs code of the app. */
  asApp<T>(work: () => Promise<T>): Promise<T> {
    return actor.run('app', work);
  }

  /** Calls `hook` after each insert and update, in the write's transaction. */
  registerHook(hook: Hook): void {
    this.#hooks.push(hook);
  }

  registerMiddleware(middleware: Middleware): void {
    this.#middlewares.push(middleware);
  }

  find(object: string, query: EngineQuery, { context }: EngineOptions): Promise<readonly EngineRow[]> {
    return this.#in(context, async (transaction) => {
      const rows = select([...transaction.rows(object).values()], query);
      return this.#parts.found?.(object, rows, query) ?? rows;
    });
  }

  async findOne(object: string, query: EngineQuery, options: EngineOptions): Promise<EngineRow | null> {
    const [row] = await this.find(object, { ...query, limit: 1 }, options);
    return row ?? null;
  }

  insert(object: string, data: object | readonly object[], { context }: EngineOptions): Promise<unknown> {
    return this.#write({ object, operation: 'insert', data, context });
  }

  update(object: string, data: object, options: EngineOptions & Many): Promise<unknown> {
    return this.#write({ object, operation: 'update', data, ...manyOf(options) });
  }

  delete(object: string, options: EngineOptions & Many): Promise<unknown> {
    return this.#write({ object, operation: 'delete', ...manyOf(options) });
  }

  async transaction<T>(
    work: (context: EngineContext, info: { readonly owned: boolean }) => Promise<T>,
    context: EngineContext,
  ): Promise<T> {
    const open = ambient.getStore();
    if (open) return work({ ...context, transaction: open }, { owned: false });
    return this.#inTurn(async (transaction) =>
      ambient.run(transaction, () => work({ ...context, transaction }, { owned: true })),
    );
  }

  async execute(): Promise<unknown> {
    throw new Error('The engine of the simulation knows no SQL.');
  }

  async syncObjectSchema(): Promise<void> {}

  /** Writes without definitions and hooks. */
  getDriverForObject(): unknown {
    const write = (operation: EngineOperation, { transaction }: { readonly transaction: unknown }) =>
      this.#in({ transaction }, async (open) => this.#carryOut(operation, open));
    type Options = Parameters<typeof write>[1];
    return {
      create: (object: string, data: object, options: Options) => write({ object, operation: 'insert', data }, options),
      update: (...[object, id, data, options]: readonly [string, string, object, Options]) =>
        write({ object, operation: 'update', data: { ...data, id } }, options),
      delete: (object: string, id: string, options: Options) =>
        write({ object, operation: 'delete', options: { where: { id } } }, options),
    };
  }

  async #write(operation: EngineOperation): Promise<unknown> {
    const run = async (index: number): Promise<void> => {
      const middleware = this.#middlewares[index];
      if (middleware) return middleware(operation, () => run(index + 1));
      const context = operation.context ?? {};
      const written = await this.#in(context, async (transaction) => this.#carryOut(operation, transaction));
      // The engine puts its answer into the operation itself.
      (operation as { result?: unknown }).result = written;
      await this.#callHooks(operation, openIn(context));
    };
    await run(0);
    return operation.result;
  }

  /** Runs in the write's transaction; a transaction of the write's own is committed by now. */
  #callHooks(operation: EngineOperation, transaction: EngineTransaction | undefined): Promise<void> {
    const by = actor.getStore() ?? 'hook';
    return ambient.run(transaction, () =>
      actor.run(by, async () => {
        if (operation.operation !== 'delete') for (const hook of this.#hooks) await hook(operation);
      }),
    );
  }

  /** Makes the operation's write, and answers it. */
  #carryOut({ object, operation, data, ast, options }: EngineOperation, transaction: EngineTransaction): unknown {
    const { isInserted, isBesideTransactions } = this.#parts;
    const by = actor.getStore() ?? 'sync';
    const rows = transaction.rows(object);
    const target = isBesideTransactions?.(object)
      ? new EngineTransaction(this.#parts.database, this.#parts.onCommit)
      : transaction;
    const put = (recordId: string, after: EngineRow | undefined) => target.put(object, recordId, { after, by });
    const ids = ast
      ? select([...rows.values()], ast).map(({ id }) => String(id))
      : [String((data as EngineRow | undefined)?.id ?? options?.where?.id)];
    if (operation === 'insert') {
      const inserted = [data].flat().map((row): EngineRow => ({ id: this.#parts.database.newId(), ...Object(row) }));
      for (const row of inserted) {
        if (rows.has(String(row.id))) throw new Error(`UNIQUE constraint failed: ${object}.id`);
        if (isInserted?.(object) ?? true) put(String(row.id), row);
      }
      if (target !== transaction) void target.commit();
      return Array.isArray(data) ? inserted : inserted[0];
    }
    const found = ids.filter((id) => rows.has(id));
    if (!ast && found.length === 0) throw new Error(`Record ${ids} not found in ${object}.`);
    for (const id of found) put(id, operation === 'delete' ? undefined : { ...rows.get(id), ...Object(data), id });
    if (target !== transaction) void target.commit();
    return ast ? found.length : operation === 'delete' || target.rows(object).get(ids[0] ?? '');
  }

  /** Runs one operation in the transaction in which it is made, or in one of its own. */
  #in<T>(context: EngineContext, work: (transaction: EngineTransaction) => Promise<T>): Promise<T> {
    const open = openIn(context);
    const run = (transaction: EngineTransaction) => this.#pass(() => work(transaction));
    return open ? run(open) : this.#inTurn(run);
  }

  /** Runs `work` in a transaction of its own, which begins when the previous one has ended. */
  #inTurn<T>(work: (transaction: EngineTransaction) => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => this.#begin(work));
    this.#turn = mine.catch(() => {});
    return mine;
  }

  #pass<T>(operation: () => Promise<T>, asked: Parameters<EngineFaults>[0] = 'other'): Promise<T> {
    const { gate, faults } = this.#parts;
    return gate.pass(operation, () => faults(asked));
  }

  async #begin<T>(work: (transaction: EngineTransaction) => Promise<T>): Promise<T> {
    const { database, onCommit, isCommittedAnyway } = this.#parts;
    const transaction = new EngineTransaction(database, onCommit);
    try {
      const result = await work(transaction);
      // A transaction that only read does not reach the disk.
      const commit = isCommittedAnyway ? EngineTransaction.prototype.commit : transaction.commit;
      const asked = actor.getStore() ? 'other' : 'commit of sync';
      await (transaction.isChanged ? this.#pass(() => commit.call(transaction), asked) : commit.call(transaction));
      return result;
    } catch (error) {
      transaction.rollBack(error);
      throw error;
    }
  }
}

/** The transaction that is open for an operation. A cast: handles are made only here. */
function openIn({ transaction }: EngineContext): EngineTransaction | undefined {
  return (transaction as EngineTransaction | undefined) ?? ambient.getStore();
}

/** A write by a condition, and whether it is for many records. */
interface Many {
  readonly where?: EngineWhere;
  readonly multi?: boolean;
}

function manyOf({ where, multi, context }: EngineOptions & Many) {
  return { context, ...(where ? { options: { where } } : {}), ...(where && multi ? { ast: { where } } : {}) };
}

function select(rows: readonly EngineRow[], { where = {}, orderBy = [], limit }: EngineQuery): readonly EngineRow[] {
  const found = rows.filter((row) => Object.entries(where).every(([field, value]) => isAs(row[field], value)));
  const [by] = orderBy;
  const sorted = by
    ? found.toSorted((a, b) => {
        const order = String(a[by.field]) < String(b[by.field]) ? -1 : 1;
        return by.order === 'asc' ? order : -order;
      })
    : found;
  return limit === undefined ? sorted : sorted.slice(0, limit);
}

function isAs(value: unknown, wanted: unknown): boolean {
  const { $in: among } = Object(wanted) as { readonly $in?: readonly unknown[] };
  return among ? among.includes(value) : value === wanted;
}
