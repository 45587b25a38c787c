/** One open transaction of the PostgreSQL store: what a push reads and writes in it. */
import type { RecordRef } from '@objectql/sync-types';
import { RecordSet } from '../record-map.js';
import { isContention, isDuplicateKey, isLockTimeout, type PostgresClient } from './postgres-pool.js';
import {
  type Int8,
  type LedgerColumns,
  type LoadColumns,
  type LockColumns,
  type LogColumns,
  type RecordColumns,
  type TakenColumns,
  toFacts,
  toLedgerRow,
  toLogRow,
  toRecord,
} from './postgres-rows.js';
import { type PostgresStatements, TEXT_SEPARATOR } from './postgres-statements.js';
import { encodeBookkeeping } from './record-encoding.js';
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
} from './sync-store.js';
import type { EngineTransaction } from './transaction-scope.js';

/** What was loaded is no longer so: the transaction is worth running again. */
export class StaleLoadError extends Error {
  override readonly name = 'StaleLoadError';
}

export interface PostgresTransactionOptions {
  readonly statements: PostgresStatements;
  /** Where a commit is announced to other processes. */
  readonly channel: string;
  /** Whether this is the first run of the work. */
  readonly isFirstTry: boolean;
  /** An id for the epoch that may have to be begun. */
  readonly nextEpoch: string;
  /** A head of the feed that this process knows to be committed. */
  readonly knownHead: number;
}

interface SavedTogether {
  readonly records: readonly RecordState[];
  readonly ledger: readonly LedgerRow[];
  readonly log: LogRow | undefined;
}

export class PostgresTransaction implements EngineTransaction {
  readonly handle: unknown;
  readonly #client: PostgresClient;
  readonly #options: PostgresTransactionOptions;
  readonly #known = new RecordSet();
  #facts: StoreFacts | undefined;
  #isLogKnown = false;
  /** The feed after the last save that moved it. */
  saved: Saved;

  constructor(client: PostgresClient, options: PostgresTransactionOptions) {
    this.#client = client;
    this.handle = client;
    this.#options = options;
  }

  async load({ records, mutationIds, log, formerLogs = [], epoch }: LoadRequest): Promise<Loaded> {
    const { statements } = this.#options;
    const former = await this.#loadFormer(formerLogs, mutationIds);
    const keys = keyArrays(records);
    const locked = only(await this.#rows<LockColumns>(statements.lock, [...keys, log?.logId ?? null]));
    const values = [...keys, mutationIds, log?.logId ?? null, plainArray(log?.sequences ?? [])];
    const row = only(await this.#rows<LoadColumns>(statements.load, values));
    const loaded = toLoaded(row);
    // What is locked stays as it is, so more than was locked is what others have added since, and may still change.
    const isAllLocked =
      loaded.records.length === Number(locked.records) &&
      loaded.intents.length === Number(locked.intents) &&
      (loaded.log ? 1 : 0) === Number(locked.logs);
    if (!isAllLocked) throw new StaleLoadError('Another transaction added what this one was about to read.');
    this.#facts = loaded.facts;
    this.#isLogKnown = loaded.log !== undefined;
    for (const record of loaded.records) this.#known.add(record);
    return {
      ...loaded,
      ledger: [...loaded.ledger, ...former.ledger],
      formerLogs: former.logs,
      facts: await withReach(this.#client, { statements, facts: loaded.facts, epoch }),
    };
  }

  async save(request: SaveRequest): Promise<Saved> {
    const { records = [], ledger = [], log, formerLogs = [], intents = [], settledIntents = [] } = request;
    const { statements } = this.#options;
    if (formerLogs.length > 0) await this.#rows(statements.addFormer, logArrays(formerLogs));
    if (settledIntents.length > 0) await this.#rows(statements.settleIntents, keyArrays(settledIntents));
    if (intents.length > 0) {
      await this.#rows(statements.addIntents, [...keyArrays(intents), jsonTexts(intents)]);
    }
    // The feed's lock comes last of all.
    if (records.length > 0 || ledger.length > 0 || log) await this.#saveTogether({ records, ledger, log });
    return this.saved;
  }

  async command(sql: string): Promise<void> {
    await this.#client.query(sql);
  }

  /**
   * Contention is a matter of the whole transaction, not of the mutation whose write met it. So is a duplicate key at
   * first: another server may have just applied this very mutation, which the ledger tells on the next run. Then it is
   * the write's own failure. A lock that somebody keeps for longer than the timeout is that at once: the next run would
   * meet it again, and no other mutation need wait for it.
   */
  isFatal(error: unknown): boolean {
    if (isLockTimeout(error)) return false;
    return isContention(error) || (this.#options.isFirstTry && isDuplicateKey(error));
  }

  /** Locks the logs; answers them, and the ledger's rows at these places of theirs that are not those of the mutations. */
  async #loadFormer(
    formerLogs: readonly PlacesOfLog[],
    mutationIds: readonly string[],
  ): Promise<{ readonly logs: readonly LogRow[]; readonly ledger: readonly LedgerRow[] }> {
    if (formerLogs.length === 0) return { logs: [], ledger: [] };
    const { statements } = this.#options;
    const logs = await this.#rows<LogColumns>(statements.lockFormer, [formerLogs.map(({ logId }) => logId)]);
    const places = formerLogs.flatMap(({ logId, sequences }) => sequences.map((sequence) => ({ logId, sequence })));
    const ledger = await this.#rows<LedgerColumns>(statements.rowsOfFormer, [
      places.map(({ logId }) => logId),
      plainArray(places.map(({ sequence }) => sequence)),
      mutationIds,
    ]);
    return { logs: logs.map(toLogRow), ledger: ledger.map(toLedgerRow) };
  }

  /** All of it in one round trip. */
  async #saveTogether({ records, ledger, log }: SavedTogether): Promise<void> {
    const { statements, channel, nextEpoch, knownHead } = this.#options;
    const epoch = this.saved?.epoch ?? this.#facts?.epoch;
    const values = [
      ...keyArrays(records),
      plainArray(records.map(({ version }) => version)),
      plainArray(records.map(({ changedAt }) => changedAt)),
      jsonTexts(records.map(({ data }) => data)),
      records.map(encodeBookkeeping).join(TEXT_SEPARATOR),
      plainArray(records.map((record) => this.#known.has(record))),
      channel,
      ...ledgerArrays(ledger),
      ...logValues(log),
      this.#isLogKnown,
      epoch ?? '',
      // It is begun once.
      epoch === nextEpoch ? null : nextEpoch,
      knownHead,
    ];
    const [taken] = await this.#rows<TakenColumns>(statements.save, values);
    if (log) this.#isLogKnown = true;
    if (records.length === 0) return;
    if (!taken) throw new Error(DAMAGED);
    const isStale =
      (taken.epoch !== epoch && taken.epoch !== nextEpoch) || Number(taken.version_floor) !== this.#facts?.versionFloor;
    if (isStale) throw new StaleLoadError('The feed got a new epoch or a higher floor since it was read.');
    for (const record of records) this.#known.add(record);
    this.saved = { head: Number(taken.head), epoch: taken.epoch };
  }

  /** The rows of a statement; `Row` is the caller's word for what the statement selects. */
  async #rows<Row = unknown>(text: string, values: unknown[]): Promise<readonly Row[]> {
    return (await this.#client.query(text, values)).rows as Row[];
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
 * The facts, with how far the given epoch goes. Asked in a statement of its own, and only of an epoch that has ended:
 * what was its last place stays it.
 */
export async function withReach(
  client: PostgresClient,
  { statements, facts, epoch }: FactsOfEpoch,
): Promise<StoreFacts> {
  if (epoch === undefined) return facts;
  if (epoch === facts.epoch) return { ...facts, reach: facts.head };
  const { rows } = await client.query(statements.lastPlace, [epoch]);
  // The statement selects this column.
  const [ended] = rows as { readonly last_place: Int8 }[];
  return { ...facts, reach: ended && Number(ended.last_place) };
}

interface FactsOfEpoch {
  readonly statements: PostgresStatements;
  readonly facts: StoreFacts;
  readonly epoch: string | undefined;
}

/** The one row of the feed's table. */
export function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows;
  if (row) return row;
  throw new Error(DAMAGED);
}

const DAMAGED = 'The table objectql_sync_feed is empty: the sync store is damaged. Restore it from a backup.';

function logValues(log: LogRow | undefined): readonly unknown[] {
  return log ? [log.logId, log.principal, log.floor, log.lastTime] : [null, null, 0, 0];
}

function logArrays(logs: readonly LogRow[]): unknown[] {
  return [
    logs.map(({ logId }) => logId),
    logs.map(({ principal }) => principal),
    plainArray(logs.map(({ floor }) => floor)),
    plainArray(logs.map(({ lastTime }) => lastTime)),
  ];
}

function keyArrays(refs: readonly RecordRef[]): [objectNames: string[], recordIds: string] {
  return [refs.map(({ objectName }) => objectName), jsonTexts(refs.map(({ recordId }) => recordId))];
}

function ledgerArrays(rows: readonly LedgerRow[]): unknown[] {
  return [
    rows.map(({ mutationId }) => mutationId),
    rows.map(({ logId }) => logId),
    plainArray(rows.map(({ sequence }) => sequence)),
    ...keyArrays(rows),
    plainArray(rows.map(({ contentHash }) => contentHash)),
    jsonTexts(rows.map(({ outcome }) => outcome)),
    plainArray(rows.map(({ at }) => at)),
  ];
}

/** Values as JSON texts in one parameter, null as none: the driver would write each quote of each text with an escape. */
function jsonTexts(values: readonly unknown[]): string {
  return values.map((value) => (value === null ? '' : JSON.stringify(value))).join(TEXT_SEPARATOR);
}

/** An array of what needs no quotes, as PostgreSQL reads it: the driver would look at each element. */
function plainArray(values: readonly (number | boolean)[]): string {
  return `{${values.join(',')}}`;
}
