/** One transaction of the data engine, in which sync's state and the application's records are written together. */
import type { RecordRef } from '@objectql/sync-types';
import {
  AS_SYSTEM,
  type DataEngine,
  type EngineContext,
  type EngineRow,
  type EngineWhere,
  isPostgres,
  keepCommit,
  shares,
} from '@objectql/sync-types/kernel';
import { type EpochWatch, KEPT_EPOCHS } from '../storage/epoch-watch.js';
import {
  type Loaded,
  type LoadRequest,
  type LogRow,
  logsIn,
  type PruneSlice,
  type RecordState,
  type Saved,
  type SaveRequest,
  type StoreFacts,
} from '../storage/sync-store.js';
import type { RawTransaction, SavepointVerb } from '../storage/transaction-scope.js';
import { isContention, isLockTimeout } from './engine-contention.js';
import { FEED_ID, readFacts } from './engine-facts.js';
import { EPOCHS, FEED, INTENTS, LEDGER, LOGS, RECORDS } from './engine-objects.js';
import {
  digits,
  fromIntent,
  fromLedgerRow,
  fromLog,
  fromRecord,
  recordRowId,
  rowId,
  toIntent,
  toLedgerRow,
  toLogRow,
  toRecord,
} from './engine-rows.js';
import { INSERT_ROWS, NAMED_IDS } from './statement-share.js';

/** The engine as resolvers get it, inside this transaction. */
export interface EngineHandle {
  insert(objectName: string, record: object, context?: EngineContext): Promise<unknown>;
  update(objectName: string, record: object, context?: EngineContext): Promise<unknown>;
  delete(objectName: string, id: string, context?: EngineContext): Promise<unknown>;
}

type LoadedRecords = Pick<Loaded, 'facts' | 'records'>;

export class EngineTransaction implements RawTransaction {
  readonly handle: EngineHandle;
  /** Reads and writes of sync itself in this transaction. */
  readonly context: EngineContext;
  /** The feed after the last save that moved it. */
  saved: Saved;
  readonly #engine: DataEngine;
  readonly #transaction: unknown;
  readonly #epochs: EpochWatch;
  /** By savepoint: a client on the same engine refuses the commit when it cannot note a write, which is undone here. */
  readonly #allowCommitBy = new Map<string, () => void>();

  constructor(engine: DataEngine, transaction: unknown, epochs: EpochWatch) {
    this.#epochs = epochs;
    this.#engine = engine;
    this.#transaction = transaction;
    this.context = { ...AS_SYSTEM, transaction };
    const options = (context: EngineContext = AS_SYSTEM) => ({ context: { ...context, transaction } });
    this.handle = {
      insert: (objectName, record, context) => engine.insert(objectName, record, options(context)),
      update: (objectName, record, context) => engine.update(objectName, record, options(context)),
      delete: (objectName, id, context) => engine.delete(objectName, { where: { id }, ...options(context) }),
    };
  }

  /**
   * Keeps other writers of the feed out until the end, so that places are given in the order of commits. Nothing else
   * has been executed in a transaction that is `new`.
   */
  async lock(transaction: 'new' | 'joined'): Promise<void> {
    // A statement of its own instead of a read first, so that later reads see the state once the lock is held.
    const lock = `UPDATE ${FEED} SET head = head WHERE id = '${FEED_ID}'`;
    await this.#execute(
      transaction === 'new' && isPostgres(this.#transaction) ? `${POSTGRES_SETTINGS}; ${lock}` : lock,
    );
  }

  async facts(): Promise<StoreFacts> {
    return readFacts(this.#engine, this.context);
  }

  async load(request: LoadRequest): Promise<Loaded> {
    const { records, mutationIds, log, formerLogs = [], epoch } = request;
    const rows = [...(await this.#findByIds(LEDGER, mutationIds.map(rowId)))];
    for (const { logId, sequences } of logsIn(request)) {
      rows.push(...(await this.#find(LEDGER, { log_key: rowId(logId), sequence: { $in: sequences.map(digits) } })));
    }
    const ledger = new Map(rows.map((row) => [row.id, toLedgerRow(row)]));
    const [logRow] = log ? await this.#findByIds(LOGS, [rowId(log.logId)]) : [];
    const formerIds = formerLogs.map(({ logId }) => rowId(logId));
    return {
      ...(await this.loadRecords(records, epoch)),
      ledger: [...ledger.values()],
      log: logRow && toLogRow(logRow),
      formerLogs: (await this.#findByIds(LOGS, formerIds)).map(toLogRow),
      intents: (await this.#findByIds(INTENTS, idsOf(records))).map(toIntent),
    };
  }

  /** The facts, and those of the records that the feed has. */
  async loadRecords(refs: readonly RecordRef[], epoch?: string): Promise<LoadedRecords> {
    const facts = await readFacts(this.#engine, this.context, epoch);
    return { facts, records: (await this.#findByIds(RECORDS, idsOf(refs))).map(toRecord) };
  }

  async save(request: SaveRequest): Promise<Saved> {
    const { records = [], ledger = [], intents = [], settledIntents = [] } = request;
    if (records.length > 0) await this.saveRecords(records, { facts: await this.facts(), records });
    await this.#insert(LEDGER, ledger.map(fromLedgerRow));
    for (const log of logsIn(request)) await this.#saveLog(log);
    await this.#deleteByIds(INTENTS, settledIntents.map(recordRowId));
    await this.#insert(INTENTS, intents.map(fromIntent));
    return this.saved;
  }

  /** The feed is as it was loaded: `records` are those that it may have. */
  async saveRecords(
    states: readonly RecordState[],
    { facts, records }: { readonly facts: StoreFacts; readonly records: readonly RecordRef[] },
  ): Promise<void> {
    const { epoch: present, head: before } = facts;
    const known = new Set(idsOf(records));
    await this.#deleteByIds(
      RECORDS,
      idsOf(states).filter((id) => known.has(id)),
    );
    await this.#insert(
      RECORDS,
      states.map((state, index) => fromRecord(state, before + 1 + index)),
    );
    const begun = this.#epochs.beginIfDue({ epoch: present, head: before });
    if (begun !== undefined) {
      await this.#insert(EPOCHS, [{ id: rowId(present), epoch: present, last_place: digits(before) }]);
    }
    const [epoch, head] = [begun ?? present, before + states.length];
    await this.#setFacts({ head: digits(head), epoch });
    this.saved = { head, epoch };
  }

  /**
   * Drops one slice of what is older than the retention and raises the floors over it; answers how many rows it
   * removed.
   */
  async prune({ before, limit }: PruneSlice): Promise<number> {
    const removed =
      (await this.#dropTombstones(digits(before), limit)) + (await this.#dropLedgerRows(digits(before), limit));
    await this.#dropEpochs();
    return removed;
  }

  async changeEpoch(): Promise<string> {
    const epoch = this.#epochs.begin();
    await this.#deleteEpochsBelow(Number.MAX_SAFE_INTEGER);
    await this.#setFacts({ epoch });
    return epoch;
  }

  async command(verb: SavepointVerb, name: string): Promise<void> {
    await this.#execute(`${verb} ${name}`);
    if (verb === 'SAVEPOINT') this.#allowCommitBy.set(name, keepCommit(this.#transaction));
    if (verb === 'ROLLBACK TO SAVEPOINT') this.#allowCommitBy.get(name)?.();
  }

  /** Waiting for a lock longer than the timeout fails only this write: the others need not wait for it. */
  isFatal(error: unknown): boolean {
    return isContention(error) && !isLockTimeout(error);
  }

  async #execute(statement: string, params: readonly unknown[] = []): Promise<void> {
    await this.#engine.execute(statement, { transaction: this.#transaction, params });
  }

  async #saveLog(log: LogRow): Promise<void> {
    const [row] = await this.#findByIds(LOGS, [rowId(log.logId)]);
    if (!row) return this.#insert(LOGS, [fromLog(log)]);
    const known = toLogRow(row);
    const floor = Math.max(known.floor, log.floor);
    const lastTime = Math.max(known.lastTime, log.lastTime);
    await this.#updateLog({ ...known, floor, lastTime });
  }

  #updateLog(log: LogRow): Promise<void> {
    const { id, floor, last_time } = fromLog(log);
    return this.#update(LOGS, String(id), { floor, last_time });
  }

  async #dropTombstones(before: string, limit: number): Promise<number> {
    const rows = await this.#find(RECORDS, { deleted_at: { $lt: before } }, { by: 'deleted_at', limit });
    if (rows.length === 0) return 0;
    const dropped = rows.map(toRecord);
    const { floor, versionFloor } = await this.facts();
    await this.#deleteByIds(RECORDS, dropped.map(recordRowId));
    await this.#setFacts({
      floor: digits(Math.max(floor, ...dropped.map(({ place }) => place))),
      version_floor: digits(Math.max(versionFloor, ...dropped.map(({ version }) => version))),
    });
    return dropped.length;
  }

  async #dropLedgerRows(before: string, limit: number): Promise<number> {
    const rows = (await this.#find(LEDGER, { made_at: { $lt: before } }, { by: 'made_at', limit })).map(toLedgerRow);
    await this.#deleteByIds(
      LEDGER,
      rows.map(({ mutationId }) => rowId(mutationId)),
    );
    const floorByLog = new Map<string, number>();
    for (const { logId, sequence } of rows) {
      if (logId !== null) floorByLog.set(logId, Math.max(floorByLog.get(logId) ?? 0, sequence));
    }
    for (const row of await this.#findByIds(LOGS, [...floorByLog.keys()].map(rowId))) {
      const log = toLogRow(row);
      const floor = Math.max(log.floor, floorByLog.get(log.logId) ?? 0);
      await this.#updateLog({ ...log, floor });
    }
    return rows.length;
  }

  /** The epochs that are kept for their number have higher last places. */
  async #dropEpochs(): Promise<void> {
    const newestFirst = { orderBy: [{ field: 'last_place', order: 'desc' } as const], limit: KEPT_EPOCHS + 1 };
    const rows = await this.#engine.find(EPOCHS, { where: {}, ...newestFirst }, { context: this.context });
    if (rows.length <= KEPT_EPOCHS) return;
    const { floor } = await this.facts();
    await this.#deleteEpochsBelow(Math.min(floor, Number(rows.at(-1)?.last_place)));
  }

  #deleteEpochsBelow(place: number): Promise<unknown> {
    const where = { last_place: { $lt: digits(place) } };
    return this.#engine.delete(EPOCHS, { where, multi: true, context: this.context });
  }

  #setFacts(changed: EngineRow): Promise<void> {
    return this.#update(FEED, FEED_ID, changed);
  }

  #find(
    objectName: string,
    where: EngineWhere,
    page?: { readonly by: string; readonly limit: number },
  ): Promise<readonly EngineRow[]> {
    const order = page ? { orderBy: [{ field: page.by, order: 'asc' } as const], limit: page.limit } : {};
    return this.#engine.find(objectName, { where, ...order }, { context: this.context });
  }

  async #findByIds(objectName: string, ids: readonly string[]): Promise<readonly EngineRow[]> {
    const found: EngineRow[] = [];
    for (const share of shares(ids, NAMED_IDS)) found.push(...(await this.#find(objectName, { id: { $in: share } })));
    return found;
  }

  async #insert(objectName: string, rows: readonly EngineRow[]): Promise<void> {
    for (const share of shares(rows, INSERT_ROWS)) {
      await this.#engine.insert(objectName, share, { context: this.context });
    }
  }

  /** One statement, where the engine's own update also reads the row before and after. */
  async #update(table: string, id: string, changed: EngineRow): Promise<void> {
    const columns = Object.keys(changed).map((column) => `${column} = ?`);
    await this.#execute(`UPDATE ${table} SET ${columns.join(', ')} WHERE id = ?`, [...Object.values(changed), id]);
  }

  async #deleteByIds(objectName: string, ids: readonly string[]): Promise<void> {
    for (const share of shares(ids, NAMED_IDS)) {
      await this.#engine.delete(objectName, { where: { id: { $in: share } }, multi: true, context: this.context });
    }
  }
}

function idsOf(refs: readonly RecordRef[]): readonly string[] {
  return [...new Set(refs.map(recordRowId))];
}

/**
 * If the database's default isolation is stricter, whoever waited for the lock would be refused for coming second. And
 * a holder that falls silent, as when a machine has lost its network, would keep all writers waiting until TCP gives
 * the connection up, which takes hours: PostgreSQL ends a transaction that has been silent for 60 s, which is longer
 * than any resolver may take.
 */
const POSTGRES_SETTINGS =
  "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '60s'";
