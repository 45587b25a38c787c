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
import {
  type Dependence,
  dependencesOn,
  notFound,
  refuseEqualValues,
  refuseValues,
  restricted,
} from './engine-rules.js';
import { EngineTransaction } from './engine-transaction.js';

type Middleware = Parameters<DataEngine['registerMiddleware']>[0];
type Hook = (objectName: string, row: EngineRow) => Promise<void>;
/** When a hook is called; a delete is no write here. */
type Moment = 'after a write' | 'before a delete' | 'after a delete';

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
  /** By whose deletes others are deleted or changed without anybody being asked, if a rule is switched off. */
  readonly cascadingUnseen?: 'app' | 'sync' | undefined;
  /** True if the definitions hold for everybody, if a rule is switched off. */
  readonly isDriverRefusing?: boolean | undefined;
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
  readonly #hooks: { readonly moment: Moment; readonly hook: Hook }[] = [];
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

  /** Calls `hook` for each row with what is written of it, or with what is deleted, in that transaction. */
  registerHook(moment: Moment, hook: Hook): void {
    this.#hooks.push({ moment, hook });
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

  /** Writes without definitions and hooks, unless a rule is switched off. */
  getDriverForObject(): unknown {
    const { isDriverRefusing } = this.#parts;
    const write = async (operation: EngineOperation, { transaction }: { readonly transaction: unknown }) =>
      isDriverRefusing
        ? this.#write({ ...operation, context: { transaction } }, [])
        : (await this.#in({ transaction }, async (open) => this.#carryOut(operation, open))).answer;
    type Options = Parameters<typeof write>[1];
    return {
      create: (object: string, data: object, options: Options) => write({ object, operation: 'insert', data }, options),
      update: (...[object, id, data, options]: readonly [string, string, object, Options]) =>
        write({ object, operation: 'update', data: { ...data, id } }, options),
      delete: (object: string, id: string, options: Options) =>
        write({ object, operation: 'delete', options: { where: { id } } }, options),
    };
  }

  async #write(operation: EngineOperation, middlewares = this.#middlewares): Promise<unknown> {
    const run = async (index: number): Promise<void> => {
      const middleware = middlewares[index];
      if (middleware) return middleware(operation, () => run(index + 1));
      const { answer, rows } = await this.#carryOutWithRules(operation);
      // The engine puts its answer into the operation itself.
      operation.result = answer;
      await this.#callHooks(operation.operation === 'delete' ? 'after a delete' : 'after a write', operation, rows);
    };
    await run(0);
    return operation.result;
  }

  /** With what the definitions refuse or take along. */
  async #carryOutWithRules(operation: EngineOperation): Promise<Outcome> {
    const { object, data, ast, context = {} } = operation;
    const carryOut = (own: EngineContext) => this.#in(own, async (open) => this.#carryOut(operation, open));
    if (operation.operation !== 'delete') {
      for (const row of [data].flat()) refuseValues(this.registry.getObject(object), Object(row));
      return carryOut(context);
    }
    const dependences = ast ? [] : dependencesOn(this.registry.getAllObjects(), object);
    const isHooked = this.#hooks.some(({ moment }) => moment === 'before a delete');
    if (dependences.length === 0 && !isHooked) return carryOut(context);
    const rows = await this.#in(context, async (open) => rowsOf(operation, open.rows(object)));
    await this.#callHooks('before a delete', operation, rows);
    const [parent] = ast ? [] : rows;
    if (!parent) return carryOut(context);
    return this.transaction(async (own) => {
      await actor.run(actor.getStore() ?? 'hook', async () => {
        for (const dependence of dependences) await this.#cascade(dependence, `${object}/${parent.id}`, own);
      });
      return carryOut(own);
    }, context);
  }

  async #cascade({ objectName, field, behavior }: Dependence, parent: string, context: EngineContext): Promise<void> {
    const parentId = parent.slice(parent.indexOf('/') + 1);
    const rows = await this.find(objectName, { where: { [field]: parentId } }, { context });
    if (behavior === 'restrict' && rows.length > 0) throw restricted(parent);
    const isUnseen = this.#parts.cascadingUnseen === (this.isOfApp ? 'app' : 'sync');
    const middlewares = isUnseen ? [] : this.#middlewares;
    for (const { id } of rows) {
      const operation: EngineOperation =
        behavior === 'cascade'
          ? { object: objectName, operation: 'delete', options: { where: { id } }, context }
          : { object: objectName, operation: 'update', data: { id, [field]: null }, context };
      await this.#write(operation, middlewares);
    }
  }

  /** Runs in the write's transaction; a transaction of the write's own is committed by now. */
  #callHooks(moment: Moment, operation: EngineOperation, rows: readonly EngineRow[]): Promise<void> {
    const by = actor.getStore() ?? 'hook';
    return ambient.run(openIn(operation.context ?? {}), () =>
      actor.run(by, async () => {
        for (const row of rows)
          for (const { moment: its, hook } of this.#hooks) if (its === moment) await hook(operation.object, row);
      }),
    );
  }

  /** Makes the operation's write as a whole or not at all. */
  #carryOut(operation: EngineOperation, transaction: EngineTransaction): Outcome {
    const { isInserted, isBesideTransactions, database, onCommit } = this.#parts;
    const { object, data, ast } = operation;
    const by = actor.getStore() ?? 'sync';
    const table = transaction.rows(object);
    const target = isBesideTransactions?.(object) ? new EngineTransaction(database, onCommit) : transaction;
    const put = (rows: readonly EngineRow[], afterOf: (row: EngineRow) => EngineRow | undefined) => {
      for (const row of rows) target.put(object, String(row.id), { after: afterOf(row), by });
      if (target !== transaction) void target.commit();
    };
    if (operation.operation === 'insert') {
      const rows = [data].flat().map((row): EngineRow => ({ id: database.newId(), ...Object(row) }));
      refuseEqualValues(this.registry.getObject(object), { table, written: rows, isInsert: true });
      if (isInserted?.(object) ?? true) put(rows, (row) => row);
      return { answer: Array.isArray(data) ? rows : rows[0], rows };
    }
    const found = rowsOf(operation, table);
    if (!ast && found.length === 0) throw notFound(operation);
    if (operation.operation === 'delete') {
      put(found, () => undefined);
      return { answer: ast ? found.length : true, rows: found };
    }
    const written = found.map((row): EngineRow => ({ ...row, ...Object(data), id: row.id }));
    refuseEqualValues(this.registry.getObject(object), { table, written, isInsert: false });
    put(written, (row) => row);
    return { answer: ast ? found.length : written[0], rows: found.map(({ id }) => ({ ...Object(data), id })) };
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

/** What a write answers, and each of its rows with what was written of it. */
interface Outcome {
  readonly answer: unknown;
  readonly rows: readonly EngineRow[];
}

/** A write by a condition, and whether it is for many records. */
interface Many {
  readonly where?: EngineWhere;
  readonly multi?: boolean;
}

function manyOf({ where, multi, context }: EngineOptions & Many) {
  return { context, ...(where ? { options: { where } } : {}), ...(where && multi ? { ast: { where } } : {}) };
}

/** The rows that an update or a delete is about. */
function rowsOf({ data, ast, options }: EngineOperation, table: ReadonlyMap<string, EngineRow>): readonly EngineRow[] {
  if (ast) return select([...table.values()], ast);
  const row = table.get(String((data as EngineRow | undefined)?.id ?? options?.where?.id));
  return row ? [row] : [];
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
