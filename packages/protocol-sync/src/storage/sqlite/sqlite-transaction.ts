/** One open transaction of the SQLite store: what a push reads and writes in it. */
import type { EpochWatch } from '../epoch-watch.js';
import { encodeBookkeeping } from '../record-encoding.js';
import {
  type FeedColumns,
  type Int8,
  type LedgerColumns,
  type LogColumns,
  type RecordColumns,
  toFacts,
  toLedgerRow,
  toLogRow,
  toRecord,
} from '../sql-rows.js';
import {
  type Intent,
  type LedgerRow,
  type Loaded,
  type LoadRequest,
  type LogRow,
  logsIn,
  type RecordState,
  type Saved,
  type SaveRequest,
  type StoreFacts,
} from '../sync-store.js';
import type { RawTransaction, SavepointVerb } from '../transaction-scope.js';
import { keyColumns, LEDGER_COLUMNS, RECORD_COLUMNS } from './sqlite-columns.js';
import type { SqliteConnection } from './sqlite-connection.js';
import { isSqliteBusy } from './sqlite-database.js';

/** The facts of the whole store, as this connection sees them now. */
export function readFacts(connection: SqliteConnection, epoch?: string): StoreFacts {
  const row = connection.get<FeedColumns>(FACTS);
  if (!row)
    throw new Error('The table objectql_sync_feed is empty: the sync store is damaged. Restore it from a backup.');
  const facts = toFacts(row);
  if (epoch === undefined) return facts;
  if (epoch === facts.epoch) return { ...facts, reach: facts.head };
  const ended = connection.get<{ last_place: Int8 }>(LAST_PLACE, epoch);
  return { ...facts, reach: ended && Number(ended.last_place) };
}

export class SqliteTransaction implements RawTransaction {
  readonly handle: unknown;
  readonly #connection: SqliteConnection;
  readonly #epochs: EpochWatch;
  /** The feed after the last save that moved it. */
  saved: Saved;

  constructor(connection: SqliteConnection, epochs: EpochWatch) {
    this.#connection = connection;
    this.#epochs = epochs;
    this.handle = connection.database;
  }

  async load({ records, mutationIds, log, formerLogs = [], epoch }: LoadRequest): Promise<Loaded> {
    const connection = this.#connection;
    const keys = JSON.stringify(records.map(keyColumns));
    const ids = JSON.stringify(mutationIds);
    const rows = log
      ? connection.all<LedgerColumns>(LEDGER_OF_LOG, ids, log.logId, JSON.stringify(log.sequences))
      : connection.all<LedgerColumns>(LEDGER, ids);
    const rowsLeft = formerLogs.flatMap(({ logId, sequences }) =>
      connection.all<LedgerColumns>(LEFT_IN_LOG, logId, JSON.stringify(sequences), ids),
    );
    const logRow = log && connection.get<LogColumns>(LOG, log.logId);
    return {
      facts: readFacts(connection, epoch),
      records: connection.all<RecordColumns>(RECORDS, keys).map(toRecord),
      ledger: [...rows, ...rowsLeft].map(toLedgerRow),
      log: logRow && toLogRow(logRow),
      // One by one: libsql's `get` would return what `all` of the same statement was last asked for.
      formerLogs: formerLogs.flatMap(({ logId }) => connection.get<LogColumns>(LOG, logId) ?? []).map(toLogRow),
      intents: connection.all<{ intent: string }>(INTENTS, keys).map(({ intent }) => JSON.parse(intent) as Intent),
    };
  }

  async save(request: SaveRequest): Promise<Saved> {
    const { records = [], ledger = [], intents = [], settledIntents = [] } = request;
    this.#connection.refuseLost();
    if (records.length > 0) this.#saveRecords(records);
    if (ledger.length > 0) this.#connection.run(SAVE_ROWS, JSON.stringify(ledger.map(ledgerValues)));
    for (const log of logsIn(request)) this.#saveLog(log);
    for (const ref of settledIntents) this.#connection.run(SETTLE_INTENT, ...keyColumns(ref));
    for (const intent of intents) this.#connection.run(SAVE_INTENT, ...keyColumns(intent), JSON.stringify(intent));
    return this.saved;
  }

  command(verb: SavepointVerb, name: string): Promise<void> {
    return this.#connection.command(verb, name);
  }

  /** Busy concerns this whole connection, not the mutation whose write met it. */
  isFatal(error: unknown): boolean {
    return isSqliteBusy(error);
  }

  #saveRecords(records: readonly RecordState[]): void {
    const facts = readFacts(this.#connection);
    const { head } = facts;
    records.forEach((state, index) => {
      const data = state.data && JSON.stringify(state.data);
      const place = head + 1 + index;
      const { version, changedAt } = state;
      this.#connection.run(
        SAVE_RECORD,
        place,
        ...keyColumns(state),
        version,
        changedAt,
        data,
        encodeBookkeeping(state),
      );
    });
    const begun = this.#epochs.beginIfDue(facts);
    if (begun !== undefined) this.#connection.run(END_EPOCH, facts.epoch, head);
    this.saved = { head: head + records.length, epoch: begun ?? facts.epoch };
    this.#connection.run('UPDATE objectql_sync_feed SET head = ?, epoch = ?', this.saved.head, this.saved.epoch);
  }

  #saveLog({ logId, principal, floor, lastTime }: LogRow): void {
    this.#connection.run(SAVE_LOG, logId, principal, floor, lastTime);
  }
}

function ledgerValues(row: LedgerRow): readonly unknown[] {
  const { mutationId, logId, sequence, contentHash, outcome, at } = row;
  return [mutationId, logId, sequence, ...keyColumns(row), String(contentHash), JSON.stringify(outcome), at];
}

const FACTS = 'SELECT epoch, head, floor, version_floor FROM objectql_sync_feed';
const LAST_PLACE = 'SELECT last_place FROM objectql_sync_epochs WHERE epoch = ?';
const END_EPOCH = 'INSERT INTO objectql_sync_epochs (epoch, last_place) VALUES (?, ?)';
// CROSS JOIN keeps SQLite from scanning the whole table.
const RECORDS = `
  SELECT ${RECORD_COLUMNS} FROM json_each(?) AS asked CROSS JOIN objectql_sync_records
  ON object_name = asked.value ->> 0 AND record_id = asked.value ->> 1`;
const INTENTS = `
  SELECT intent FROM json_each(?) AS asked CROSS JOIN objectql_sync_intents
  ON object_name = asked.value ->> 0 AND record_id = asked.value ->> 1`;
const LEDGER = `
  SELECT ${LEDGER_COLUMNS} FROM objectql_sync_ledger WHERE mutation_id IN (SELECT value FROM json_each(?))`;
const LEDGER_OF_LOG = `${LEDGER}
  UNION SELECT ${LEDGER_COLUMNS} FROM objectql_sync_ledger
  WHERE log_id = ? AND sequence IN (SELECT value FROM json_each(?))`;
// Rows that were found by their ids are left out.
const LEFT_IN_LOG = `
  SELECT ${LEDGER_COLUMNS} FROM objectql_sync_ledger
  WHERE log_id = ? AND sequence IN (SELECT value FROM json_each(?)) AND mutation_id NOT IN (SELECT value FROM json_each(?))`;
const LOG = 'SELECT log_id, principal, floor, last_time FROM objectql_sync_logs WHERE log_id = ?';
const SAVE_RECORD = `
  INSERT INTO objectql_sync_records (${RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (object_name, record_id) DO UPDATE SET place = excluded.place, version = excluded.version,
    changed_at = excluded.changed_at, data = excluded.data, bookkeeping = excluded.bookkeeping`;
// One statement for all rows: each call of a driver costs as much as a third of the row that it writes.
const SAVE_ROWS = `
  INSERT INTO objectql_sync_ledger (${LEDGER_COLUMNS}) SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3,
    value ->> 4, value ->> 5, value ->> 6, value ->> 7 FROM json_each(?)`;
const SAVE_LOG = `
  INSERT INTO objectql_sync_logs (log_id, principal, floor, last_time) VALUES (?, ?, ?, ?)
  ON CONFLICT (log_id) DO UPDATE SET floor = max(floor, excluded.floor), last_time = max(last_time, excluded.last_time)`;
const SAVE_INTENT = 'INSERT INTO objectql_sync_intents (object_name, record_id, intent) VALUES (?, ?, ?)';
const SETTLE_INTENT = 'DELETE FROM objectql_sync_intents WHERE object_name = ? AND record_id = ?';
