/**
 * A store in one SQLite file, on a handle the application opens. An answer is sent only after its commit, and a commit
 * survives the death of the process; with `synchronous = FULL` it also survives a power cut.
 */
import type { RecordId, RecordRef } from '@objectql/sync-types';
import { type Platform, systemPlatform } from '../platform/platform.js';
import { Mutex } from './mutex.js';
import type { SqliteDatabase, SqliteStatement } from './sqlite-database.js';
import { migrateSqlite } from './sqlite-schema.js';
import {
  type Intent,
  type LedgerRow,
  type Loaded,
  type LoadRequest,
  type Page,
  type PageQuery,
  type PruneSlice,
  type RecordState,
  type SaveRequest,
  StoreBusyError,
  type StoredRecord,
  type StoreFacts,
  type StoreTransaction,
  type SyncStore,
} from './sync-store.js';

export interface SqliteStoreOptions {
  readonly platform?: Pick<Platform, 'randomId'>;
}

/** 5 s: how long SQLite itself waits for another process's write before it gives up. */
const BUSY_TIMEOUT_MS = 5000;

export class SqliteStore implements SyncStore {
  readonly #database: SqliteDatabase;
  readonly #newEpoch: () => string;
  /** One connection knows one transaction: everything on it runs in turn, so that no page sees what may be rolled back. */
  readonly #turn = new Mutex();
  readonly #statements = new Map<string, SqliteStatement>();
  readonly #listeners = new Set<(head: number) => void>();
  #savepoints = 0;
  #isClosed = false;

  /** `database` stays the application's: it closes the handle after the store. */
  constructor(database: SqliteDatabase, { platform = systemPlatform }: SqliteStoreOptions = {}) {
    this.#database = database;
    this.#newEpoch = () => platform.randomId();
  }

  async open(): Promise<void> {
    await this.#turn.run(async () => {
      this.#refuseClosed();
      this.#database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      // A file can be switched to WAL only while nobody else uses it; where it already is, this changes nothing.
      guardBusy(() => this.#database.exec('PRAGMA journal_mode = WAL'));
      this.#database.exec('PRAGMA synchronous = FULL');
      await this.#inTransaction(async () => migrateSqlite(this.#database, this.#newEpoch));
    });
  }

  async transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#turn.run(async () => {
      this.#refuseClosed();
      const { result, head, headBefore } = await this.#inTransaction(async () => {
        const before = this.#facts().head;
        const done = await work({
          handle: this.#database,
          load: async (request) => this.#load(request),
          save: async (request) => this.#save(request),
          savepoint: (savedWork) => this.#savepoint(savedWork),
        });
        return { result: done, head: this.#facts().head, headBefore: before };
      });
      if (head > headBefore) for (const listener of this.#listeners) listener(head);
      return result;
    });
  }

  async page({ after, limit, objects }: PageQuery): Promise<Page> {
    return this.#turn.run(async () => {
      this.#refuseClosed();
      return this.#inTransaction(async () => {
        const rows = objects
          ? this.#prepare(PAGE_OF_OBJECTS).all(JSON.stringify(objects), after, limit, limit)
          : this.#prepare(PAGE).all(after, limit);
        return { facts: this.#facts(), records: rows.map(toRecord) };
      }, 'BEGIN');
    });
  }

  async prune({ before, limit }: PruneSlice): Promise<{ readonly removed: number }> {
    return this.#turn.run(async () => {
      this.#refuseClosed();
      return this.#inTransaction(async () => {
        const tombstones = this.#pruneTombstones(before, limit);
        const rows = this.#pruneLedger(before, limit);
        return { removed: Math.max(tombstones, rows) };
      });
    });
  }

  async changeEpoch(): Promise<string> {
    return this.#turn.run(async () =>
      this.#inTransaction(async () => {
        const epoch = this.#newEpoch();
        this.#prepare('UPDATE sync_facts SET epoch = ?').run(epoch);
        return epoch;
      }),
    );
  }

  onCommit(listener: (head: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#turn.run(async () => {
      this.#isClosed = true;
      this.#statements.clear();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #load({ records, mutationIds, log }: LoadRequest): Loaded {
    const keys = JSON.stringify(records.map(({ objectName, recordId }) => [objectName, JSON.stringify(recordId)]));
    const logRow = log && this.#prepare('SELECT * FROM sync_logs WHERE log_id = ?').get(log.logId);
    const ledger = [
      ...this.#prepare(LEDGER_BY_ID).all(JSON.stringify(mutationIds)),
      ...(log ? this.#prepare(LEDGER_BY_SEQUENCE).all(JSON.stringify(log.sequences), log.logId) : []),
    ].map(toLedgerRow);
    return {
      facts: this.#facts(),
      records: this.#prepare(RECORDS_BY_KEY).all(keys).map(toRecord),
      ledger: [...new Map(ledger.map((row) => [row.mutationId, row])).values()],
      log: logRow ? toLogRow(logRow) : undefined,
      intents: this.#prepare(INTENTS_BY_KEY)
        .all(keys)
        .map((row) => JSON.parse((row as { intent: string }).intent) as Intent),
    };
  }

  #save({ records = [], ledger = [], log, intents = [], settledIntents = [] }: SaveRequest): void {
    if (records.length > 0) {
      const { head } = this.#facts();
      this.#prepare(SAVE_RECORDS).run(
        JSON.stringify(records.map((state, index) => recordRow(state, head + 1 + index))),
      );
      this.#prepare('UPDATE sync_facts SET head = ?').run(head + records.length);
    }
    if (ledger.length > 0) this.#prepare(SAVE_LEDGER).run(JSON.stringify(ledger.map(ledgerValues)));
    if (log) this.#prepare(SAVE_LOG).run(log.logId, log.principal, log.floor, log.lastTime);
    if (intents.length > 0) {
      const rows = intents.map((intent) => [...keyOf(intent), JSON.stringify(intent)]);
      this.#prepare(SAVE_INTENTS).run(JSON.stringify(rows));
    }
    if (settledIntents.length > 0) this.#prepare(DROP_INTENTS).run(JSON.stringify(settledIntents.map(keyOf)));
  }

  #pruneTombstones(before: number, limit: number): number {
    const dropped = this.#prepare(DROP_TOMBSTONES).all(before, limit) as { place: number; version: number }[];
    if (dropped.length > 0) {
      const floor = Math.max(...dropped.map(({ place }) => place));
      const versionFloor = Math.max(...dropped.map(({ version }) => version));
      this.#prepare('UPDATE sync_facts SET floor = max(floor, ?), version_floor = max(version_floor, ?)').run(
        floor,
        versionFloor,
      );
    }
    return dropped.length;
  }

  #pruneLedger(before: number, limit: number): number {
    const dropped = this.#prepare(DROP_LEDGER).all(before, limit) as { log_id: string | null; sequence: number }[];
    for (const { log_id: logId, sequence } of dropped) {
      if (logId !== null)
        this.#prepare('UPDATE sync_logs SET floor = max(floor, ?) WHERE log_id = ?').run(sequence, logId);
    }
    return dropped.length;
  }

  #facts(): StoreFacts {
    const row = this.#prepare('SELECT epoch, head, floor, version_floor FROM sync_facts').get() as {
      epoch: string;
      head: number;
      floor: number;
      version_floor: number;
    };
    return { epoch: row.epoch, head: row.head, floor: row.floor, versionFloor: row.version_floor };
  }

  /** Immediate, so that what is read cannot change before it is written; a page only reads and needs no lock. */
  async #inTransaction<T>(work: () => Promise<T>, begin: 'BEGIN IMMEDIATE' | 'BEGIN' = 'BEGIN IMMEDIATE'): Promise<T> {
    guardBusy(() => this.#database.exec(begin));
    try {
      const result = await work();
      guardBusy(() => this.#database.exec('COMMIT'));
      return result;
    } catch (error) {
      this.#rollBack();
      throw isBusy(error) ? busy(error) : error;
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('ROLLBACK');
    } catch {
      // SQLite has already rolled back by itself (disk full, I/O error): the failure that led here says so.
    }
  }

  async #savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#savepoints += 1;
    const name = `sync_${this.#savepoints}`;
    this.#database.exec(`SAVEPOINT ${name}`);
    try {
      const result = await work();
      this.#database.exec(`RELEASE ${name}`);
      return result;
    } catch (error) {
      this.#database.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
      throw error;
    }
  }

  #prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new Error('The store is closed. Open a new one.');
  }
}

const RECORD_COLUMNS = 'object_name, record_id, place, version, changed_at, data, book';
const PAGE = `SELECT ${RECORD_COLUMNS} FROM sync_records WHERE place > ? ORDER BY place LIMIT ?`;
// One bounded index walk for each object: filtering the whole feed would cost what others changed.
const PAGE_OF_OBJECTS = `
  SELECT r.* FROM json_each(?1) AS wanted JOIN sync_records AS r
    ON r.object_name = wanted.value AND r.place IN (
      SELECT place FROM sync_records WHERE object_name = wanted.value AND place > ?2 ORDER BY place LIMIT ?3)
  ORDER BY r.place LIMIT ?4`;
const KEYS = 'json_each(?) AS k ON object_name = k.value ->> 0 AND record_id = k.value ->> 1';
const RECORDS_BY_KEY = `SELECT ${RECORD_COLUMNS} FROM ${KEYS.replace(' ON ', ' CROSS JOIN sync_records ON ')}`;
const INTENTS_BY_KEY = `SELECT intent FROM ${KEYS.replace(' ON ', ' CROSS JOIN sync_intents ON ')}`;
const LEDGER_BY_ID = 'SELECT * FROM json_each(?) AS k CROSS JOIN sync_ledger ON mutation_id = k.value';
const LEDGER_BY_SEQUENCE =
  'SELECT * FROM json_each(?1) AS k CROSS JOIN sync_ledger ON log_id = ?2 AND sequence = k.value AND log_id IS NOT NULL';
const SAVE_RECORDS = `
  INSERT OR REPLACE INTO sync_records (object_name, record_id, place, version, is_deleted, changed_at, data, book)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
  FROM json_each(?)`;
const SAVE_LEDGER = `
  INSERT INTO sync_ledger (mutation_id, log_id, sequence, content_hash, object_name, record_id, outcome, at)
  SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, value ->> 7
  FROM json_each(?)`;
const SAVE_LOG = `
  INSERT INTO sync_logs (log_id, principal, floor, last_time) VALUES (?, ?, ?, ?)
  ON CONFLICT (log_id) DO UPDATE SET floor = max(floor, excluded.floor), last_time = max(last_time, excluded.last_time)`;
const SAVE_INTENTS = `
  INSERT OR REPLACE INTO sync_intents (object_name, record_id, intent)
  SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(?)`;
const DROP_INTENTS = `
  DELETE FROM sync_intents WHERE (object_name, record_id) IN (SELECT value ->> 0, value ->> 1 FROM json_each(?))`;
const DROP_TOMBSTONES = `
  DELETE FROM sync_records WHERE (object_name, record_id) IN (
    SELECT object_name, record_id FROM sync_records WHERE is_deleted = 1 AND changed_at < ? ORDER BY changed_at LIMIT ?)
  RETURNING place, version`;
const DROP_LEDGER = `
  DELETE FROM sync_ledger WHERE mutation_id IN (SELECT mutation_id FROM sync_ledger WHERE at < ? ORDER BY at LIMIT ?)
  RETURNING log_id, sequence`;

function keyOf({ objectName, recordId }: RecordRef): readonly [string, string] {
  return [objectName, JSON.stringify(recordId)];
}

/** Everything a column of its own does not hold. */
type Book = Pick<RecordState, 'born' | 'bornBy' | 'deleted' | 'fields' | 'writes' | 'run' | 'origin'>;

function recordRow(state: RecordState, place: number) {
  const { born, bornBy, deleted, fields, writes, run, origin, version, changedAt, data } = state;
  const book: Book = { born, bornBy, deleted, fields, writes, run, origin };
  const dataText = data === null ? null : JSON.stringify(data);
  return [...keyOf(state), place, version, data === null ? 1 : 0, changedAt, dataText, JSON.stringify(book)];
}

function toRecord(value: unknown): StoredRecord {
  const row = value as {
    object_name: string;
    record_id: string;
    place: number;
    version: number;
    changed_at: number;
    data: string | null;
    book: string;
  };
  return {
    objectName: row.object_name,
    recordId: JSON.parse(row.record_id) as RecordId,
    place: row.place,
    version: row.version,
    changedAt: row.changed_at,
    data: row.data === null ? null : (JSON.parse(row.data) as StoredRecord['data']),
    ...(JSON.parse(row.book) as Book),
  };
}

function ledgerValues(row: LedgerRow) {
  const { mutationId, logId, sequence, contentHash, outcome, at } = row;
  return [mutationId, logId, sequence, contentHash, ...keyOf(row), JSON.stringify(outcome), at];
}

function toLedgerRow(value: unknown): LedgerRow {
  const row = value as Record<'mutation_id' | 'content_hash' | 'object_name' | 'record_id' | 'outcome', string> & {
    log_id: string | null;
    sequence: number;
    at: number;
  };
  return {
    mutationId: row.mutation_id,
    logId: row.log_id,
    sequence: row.sequence,
    contentHash: row.content_hash,
    objectName: row.object_name,
    recordId: JSON.parse(row.record_id) as RecordId,
    outcome: JSON.parse(row.outcome) as LedgerRow['outcome'],
    at: row.at,
  };
}

function toLogRow(value: unknown) {
  const row = value as { log_id: string; principal: string | null; floor: number; last_time: number };
  return { logId: row.log_id, principal: row.principal, floor: row.floor, lastTime: row.last_time };
}

function guardBusy<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw isBusy(error) ? busy(error) : error;
  }
}

function busy(cause: unknown): StoreBusyError {
  return new StoreBusyError(`Another process held the database for more than ${BUSY_TIMEOUT_MS} ms.`, { cause });
}

/** Drivers name the condition in `code`, node:sqlite in `errcode`. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    errcode?: unknown;
  };
  return (typeof code === 'string' && /^SQLITE_(BUSY|LOCKED)/.test(code)) || errcode === SQLITE_BUSY;
}

const SQLITE_BUSY = 5;
