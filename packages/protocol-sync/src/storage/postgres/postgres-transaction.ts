/** One open transaction of the PostgreSQL store: what a push reads and writes in it. */
import { RecordSet } from '../../records/record-set.js';
import {
  type Int8,
  type LedgerColumns,
  type LogColumns,
  type RecordColumns,
  toFacts,
  toLedgerRow,
  toLogRow,
  toRecord,
} from '../sql-rows.js';
import type {
  Intent,
  LedgerRow,
  Loaded,
  LoadRequest,
  LogRow,
  PlacesOfLog,
  RecordState,
  Saved,
  SaveRequest,
  StoreFacts,
} from '../sync-store.js';
import type { RawTransaction, SavepointVerb } from '../transaction-scope.js';
import { SilentConnectionError } from './answer-in-time.js';
import type { PostgresFunctions } from './postgres-functions.js';
import { isContention, isDuplicateKey, isLockTimeout } from './postgres-pool.js';
import type { LoadColumns, TakenColumns } from './postgres-rows.js';
import type { PostgresStatements } from './postgres-statements.js';
import {
  jsonTexts,
  keyArrays,
  ledgerArrays,
  logArrays,
  logValues,
  plainArray,
  recordArrays,
  textArray,
} from './postgres-values.js';
import type { SqlTransaction } from './sql-transaction.js';

/** The loaded data is outdated: the transaction is worth running again. */
export class StaleLoadError extends Error {
  override readonly name = 'StaleLoadError';
}

export interface PostgresTransactionOptions {
  readonly statements: PostgresStatements;
  readonly functions: PostgresFunctions;
  /** The channel on which a commit is announced to other processes. */
  readonly channel: string;
  /** Whether this is the first run of the work. */
  readonly isFirstTry: boolean;
  /** An id for a new epoch, in case one is due. */
  readonly nextEpoch: string;
  /** A head of the feed that this process knows to be committed. */
  readonly knownHead: number;
}

interface SavedTogether {
  readonly records: readonly RecordState[];
  readonly ledger: readonly LedgerRow[];
  readonly log: LogRow | undefined;
  readonly isLast: boolean;
}

export class PostgresTransaction implements RawTransaction {
  readonly #sql: SqlTransaction;
  readonly #options: PostgresTransactionOptions;
  readonly #known = new RecordSet();
  #facts: StoreFacts | undefined;
  #isLogKnown = false;
  /** The feed after the last save that moved it. */
  saved: Saved;

  constructor(sql: SqlTransaction, options: PostgresTransactionOptions) {
    this.#sql = sql;
    this.#options = options;
  }

  get handle(): unknown {
    return this.#sql.client;
  }

  async load({ records, mutationIds, log, formerLogs = [], epoch }: LoadRequest): Promise<Loaded> {
    const { statements, functions } = this.#options;
    const former = await this.#loadFormer(formerLogs, mutationIds);
    const logId = log?.logId ?? null;
    const values = [...keyArrays(records), textArray(mutationIds), logId, plainArray(log?.sequences ?? [])];
    const row = feedRow(await this.#sql.rows<LoadColumns>(functions.load.call, values));
    const loaded = toLoaded(row);
    // Locked rows cannot change. Rows beyond the locked ones were added by others since, and may still change.
    const isAllLocked =
      loaded.records.length === Number(row.locked_records) &&
      loaded.intents.length === Number(row.locked_intents) &&
      (loaded.log ? 1 : 0) === Number(row.locked_logs);
    if (!isAllLocked) throw new StaleLoadError('Another transaction added what this one was about to read.');
    this.#facts = loaded.facts;
    this.#isLogKnown = loaded.log !== undefined;
    for (const record of loaded.records) this.#known.add(record);
    return {
      ...loaded,
      ledger: [...loaded.ledger, ...former.ledger],
      formerLogs: former.logs,
      facts: await withReach((ended) => this.#sql.rows(statements.lastPlace, [ended]), loaded.facts, epoch),
    };
  }

  async save(request: SaveRequest): Promise<Saved> {
    const {
      records = [],
      ledger = [],
      log,
      formerLogs = [],
      intents = [],
      settledIntents = [],
      isLast = false,
    } = request;
    const { statements } = this.#options;
    if (formerLogs.length > 0) await this.#sql.rows(statements.addFormer, logArrays(formerLogs));
    if (settledIntents.length > 0) await this.#sql.rows(statements.settleIntents, keyArrays(settledIntents));
    if (intents.length > 0) {
      await this.#sql.rows(statements.addIntents, [...keyArrays(intents), jsonTexts(intents)]);
    }
    // The feed is locked last of all.
    if (records.length > 0 || ledger.length > 0 || log) await this.#saveTogether({ records, ledger, log, isLast });
    return this.saved;
  }

  async command(verb: SavepointVerb, name: string): Promise<void> {
    await this.#sql.rows(`${verb} ${name}`);
  }

  /**
   * Contention concerns the whole transaction, not the mutation whose write met it. So does a silent connection, of
   * which nothing more need be asked. So does a duplicate key at first: another server may have just applied this very
   * mutation, which the ledger tells on the next run. After that it is the write's own failure. A lock that somebody
   * keeps for longer than the timeout is the write's own failure at once: the next run would meet it again, and no
   * other mutation need wait for it.
   */
  isFatal(error: unknown): boolean {
    if (isLockTimeout(error)) return false;
    return (
      error instanceof SilentConnectionError ||
      isContention(error) ||
      (this.#options.isFirstTry && isDuplicateKey(error))
    );
  }

  /** Locks the logs; answers them, and the ledger's rows at these places that belong to other mutations. */
  async #loadFormer(
    formerLogs: readonly PlacesOfLog[],
    mutationIds: readonly string[],
  ): Promise<{ readonly logs: readonly LogRow[]; readonly ledger: readonly LedgerRow[] }> {
    if (formerLogs.length === 0) return { logs: [], ledger: [] };
    const { statements } = this.#options;
    const logs = await this.#sql.rows<LogColumns>(statements.lockFormer, [
      textArray(formerLogs.map(({ logId }) => logId)),
    ]);
    const places = formerLogs.flatMap(({ logId, sequences }) => sequences.map((sequence) => ({ logId, sequence })));
    const ledger = await this.#sql.rows<LedgerColumns>(statements.rowsOfFormer, [
      textArray(places.map(({ logId }) => logId)),
      plainArray(places.map(({ sequence }) => sequence)),
      textArray(mutationIds),
    ]);
    return { logs: logs.map(toLogRow), ledger: ledger.map(toLedgerRow) };
  }

  /** Saves all of it in one round trip, and commits in the same one if nothing follows. */
  async #saveTogether({ records, ledger, log, isLast }: SavedTogether): Promise<void> {
    const { functions, channel, nextEpoch, knownHead } = this.#options;
    const epoch = this.saved?.epoch ?? this.#facts?.epoch;
    const values = [
      ...recordArrays(records),
      plainArray(records.map((record) => this.#known.has(record))),
      channel,
      ...ledgerArrays(ledger),
      ...logValues(log),
      String(this.#isLogKnown),
      epoch ?? '',
      // An epoch is begun only once.
      epoch === nextEpoch ? null : nextEpoch,
      // After the feed has gone back, it continues from what was saved first.
      String(this.saved?.head ?? knownHead),
      String(this.#facts?.versionFloor ?? 0),
    ];
    const save = functions.save.call;
    const [taken] = await (isLast
      ? this.#sql.lastRows<TakenColumns>(save, values)
      : this.#sql.rows<TakenColumns>(save, values));
    if (log) this.#isLogKnown = true;
    for (const record of records) this.#known.add(record);
    if (taken && taken.head !== null) this.saved = { head: Number(taken.head), epoch: taken.epoch };
  }
}

function toLoaded(row: LoadColumns): Omit<Loaded, 'formerLogs'> {
  // The texts hold the rows of these tables.
  const rows = <Row>(text: string | null) => (text === null ? [] : (JSON.parse(text) as Row[]));
  return {
    facts: toFacts(row),
    records: rows<RecordColumns>(row.records).map(toRecord),
    ledger: rows<LedgerColumns>(row.ledger).map(toLedgerRow),
    log: row.log === null ? undefined : toLogRow(JSON.parse(row.log) as LogColumns),
    intents: rows<string>(row.intents).map((text) => JSON.parse(text) as Intent),
  };
}

/**
 * The facts, including how far the given epoch goes. That takes another statement, and only for an epoch that has
 * ended: its last place never changes.
 */
export async function withReach(
  lastPlaceOf: (epoch: string) => Promise<readonly unknown[]>,
  facts: StoreFacts,
  epoch: string | undefined,
): Promise<StoreFacts> {
  if (epoch === undefined) return facts;
  if (epoch === facts.epoch) return { ...facts, reach: facts.head };
  // The statement selects this column.
  const [ended] = (await lastPlaceOf(epoch)) as readonly { readonly last_place: Int8 }[];
  return { ...facts, reach: ended && Number(ended.last_place) };
}

/** The one row of the feed's table, or one that was read with it. */
export function feedRow<Row extends { readonly epoch: string | null }>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row && row.epoch !== null) return row;
  throw new Error(DAMAGED);
}

const DAMAGED = 'The table objectql_sync_feed is empty: the sync store is damaged. Restore it from a backup.';
