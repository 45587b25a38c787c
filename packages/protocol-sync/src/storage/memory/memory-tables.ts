/** What a store holds, as maps: the memory store without its turns and transactions. */
import { recordKey } from '@objectql/sync-types';
import { RecordMap } from '../../records/record-map.js';
import { KEPT_EPOCHS } from '../epoch-watch.js';
import { ownCopy, ownFields } from '../own-copy.js';
import {
  type FeedRecord,
  type Intent,
  type LedgerRow,
  type Loaded,
  type LoadRequest,
  type LogRow,
  logsIn,
  type PageQuery,
  type PlacesOfLog,
  type PruneSlice,
  type RecordState,
  type SaveRequest,
  type StoredRecord,
  type StoreFacts,
} from '../sync-store.js';
import { mergeByPlace, PlaceIndex } from './place-index.js';
import { RowsOfLog } from './rows-of-log.js';

/** A record with data of its own, of which nobody else can change what was stored. It never leaves its place in the maps. */
type Row = { -readonly [Key in keyof StoredRecord]: StoredRecord[Key] } & {
  /**
   * What readers are sent of `data`; kept from the second on, because what only one is sent costs more to keep than to make.
   * Empty when there was a first.
   */
  text: string | undefined;
};

/** What a transaction saves, made independent of the objects it was said with. */
export type SaveRows = Omit<SaveRequest, 'records'> & { readonly records: readonly Row[] };

/** Ledger rows, log rows and a record's bookkeeping are made by this package alone, which never changes them. */
export function toRows({ records = [], intents = [], ...rest }: SaveRequest): SaveRows {
  return {
    ...rest,
    intents: ownCopy(intents),
    records: records.map(toRow),
  };
}

/** Synchronous, and whole: what it refuses, it refuses before it changes anything. */
export class MemoryTables {
  /** The epoch is empty until the store is opened. */
  facts: StoreFacts = { epoch: '', head: 0, floor: 0, versionFloor: 0 };
  readonly #records = new RecordMap<Row>();
  readonly #feed = new PlaceIndex<Row>();
  readonly #feedByObject = new Map<string, PlaceIndex<Row>>();
  readonly #tombstones = new Set<Row>();
  readonly #ledgerById = new Map<string, LedgerRow>();
  readonly #ledgerByLog = new Map<string, RowsOfLog>();
  readonly #logById = new Map<string, LogRow>();
  readonly #intents = new RecordMap<Intent>();
  /** The epochs that the present one continues, with their last places, rising. */
  readonly #lastPlaceByEpoch = new Map<string, number>();

  /** The facts, with how far the given epoch goes. */
  factsFor(epoch: string | undefined): StoreFacts {
    if (epoch === undefined) return this.facts;
    return {
      ...this.facts,
      reach: epoch === this.facts.epoch ? this.facts.head : this.#lastPlaceByEpoch.get(epoch),
    };
  }

  /** Begins an epoch that continues none. */
  beginFeed(epoch: string): void {
    this.#lastPlaceByEpoch.clear();
    this.facts = { ...this.facts, epoch };
  }

  load(request: LoadRequest): Loaded {
    const { records: asked, mutationIds, log, formerLogs = [], epoch } = request;
    const records: StoredRecord[] = [];
    const intents: Intent[] = [];
    for (const ref of asked) {
      const record = this.#records.get(ref);
      if (record) records.push(toRecord(record));
      const intent = this.#intents.get(ref);
      if (intent) intents.push(ownCopy(intent));
    }
    return {
      facts: this.factsFor(epoch),
      records,
      ledger: this.#recall(mutationIds, logsIn(request)),
      log: log && this.#logById.get(log.logId),
      formerLogs: present(formerLogs.map(({ logId }) => this.#logById.get(logId))),
      intents,
    };
  }

  #recall(mutationIds: readonly string[], logs: readonly PlacesOfLog[]): readonly LedgerRow[] {
    const found = new Set<LedgerRow>();
    for (const id of mutationIds) {
      const row = this.#ledgerById.get(id);
      if (row) found.add(row);
    }
    for (const { logId, sequences } of logs) {
      const rows = this.#ledgerByLog.get(logId);
      for (const sequence of rows ? sequences : []) {
        const row = rows?.get(sequence);
        if (row) found.add(row);
      }
    }
    return [...found];
  }

  page({ after, limit, objects }: PageQuery): readonly FeedRecord[] {
    const sequences = objects
      ? present([...new Set(objects)].map((objectName) => this.#feedByObject.get(objectName)))
      : [this.#feed];
    const records: FeedRecord[] = [];
    for (const record of inOrder(sequences, after)) {
      if (records.length === limit) break;
      records.push(toFeedRecord(record));
    }
    return records;
  }

  /** Takes all the requests over, into the given epoch, or throws. */
  save(requests: readonly SaveRows[], epoch = this.facts.epoch): void {
    this.#refuseSecondIntents(requests);
    this.#enterAll(requests.flatMap(({ ledger = [] }) => ledger));
    if (epoch !== this.facts.epoch) {
      this.#lastPlaceByEpoch.set(this.facts.epoch, this.facts.head);
      this.facts = { ...this.facts, epoch };
    }
    for (const request of requests) {
      const { records, intents = [], settledIntents = [] } = request;
      let { head } = this.facts;
      for (const row of records) {
        head += 1;
        row.place = head;
        this.#place(row);
      }
      this.facts = { ...this.facts, head };
      for (const log of logsIn(request)) this.#saveLog(log);
      for (const ref of settledIntents) this.#intents.delete(ref);
      for (const intent of intents) this.#intents.set(intent, intent);
    }
  }

  prune({ before, limit }: PruneSlice): number {
    const tombstones = [...this.#tombstones]
      .filter(({ changedAt }) => changedAt < before)
      .sort((a, b) => a.changedAt - b.changedAt)
      .slice(0, limit);
    const rows = [...this.#ledgerById.values()]
      .filter(({ at }) => at < before)
      .sort((a, b) => a.at - b.at)
      .slice(0, limit);
    for (const tombstone of tombstones) this.#dropTombstone(tombstone);
    for (const row of rows) this.#dropRow(row);
    this.#dropEpochs();
    return tombstones.length + rows.length;
  }

  #place(record: Row): void {
    const before = this.#records.get(record);
    if (before) this.#leaveFeed(before);
    else this.#records.set(record, record);
    // The one that is there is written over: what is new dies young, and nothing has to be found or moved in the map.
    const row = before ? writeOver(before, record) : record;
    const feed = this.#feedByObject.get(row.objectName) ?? new PlaceIndex();
    this.#feedByObject.set(row.objectName, feed);
    this.#feed.add(row);
    feed.add(row);
    if (row.data === null) this.#tombstones.add(row);
  }

  #leaveFeed(row: Row): void {
    this.#feed.remove(row.place);
    this.#feedByObject.get(row.objectName)?.remove(row.place);
    if (row.data === null) this.#tombstones.delete(row);
  }

  /** Enters all rows, or none when one is taken. */
  #enterAll(rows: readonly LedgerRow[]): void {
    rows.forEach((row, index) => {
      if (this.#enter(row)) return;
      for (const entered of rows.slice(0, index)) this.#leave(entered);
      const { mutationId, sequence } = row;
      throw new Error(`Mutation ${mutationId} or its sequence ${sequence} is in the ledger. Load before you save.`);
    });
  }

  /** False, and nothing changed, when the row's id or its sequence in its log is taken. */
  #enter(row: LedgerRow): boolean {
    const { mutationId, logId } = row;
    if (this.#ledgerById.has(mutationId)) return false;
    if (logId !== null) {
      const rows = this.#ledgerByLog.get(logId) ?? new RowsOfLog();
      if (!rows.add(row)) return false;
      this.#ledgerByLog.set(logId, rows);
    }
    this.#ledgerById.set(mutationId, row);
    return true;
  }

  #leave({ mutationId, logId, sequence }: LedgerRow): void {
    this.#ledgerById.delete(mutationId);
    if (logId === null) return;
    const rows = this.#ledgerByLog.get(logId);
    rows?.delete(sequence);
    if (rows?.isEmpty) this.#ledgerByLog.delete(logId);
  }

  #saveLog(log: LogRow): void {
    const before = this.#logById.get(log.logId);
    this.#logById.set(log.logId, {
      logId: log.logId,
      principal: before ? before.principal : log.principal,
      floor: Math.max(before?.floor ?? 0, log.floor),
      lastTime: Math.max(before?.lastTime ?? 0, log.lastTime),
    });
  }

  #dropTombstone(tombstone: Row): void {
    this.#records.delete(tombstone);
    this.#leaveFeed(tombstone);
    const { floor, versionFloor } = this.facts;
    this.facts = {
      ...this.facts,
      floor: Math.max(floor, tombstone.place),
      versionFloor: Math.max(versionFloor, tombstone.version),
    };
  }

  #dropRow(row: LedgerRow): void {
    this.#leave(row);
    const log = row.logId === null ? undefined : this.#logById.get(row.logId);
    if (log) this.#logById.set(log.logId, { ...log, floor: Math.max(log.floor, row.sequence) });
  }

  #dropEpochs(): void {
    const dropped = [...this.#lastPlaceByEpoch].slice(0, -KEPT_EPOCHS);
    for (const [epoch, last] of dropped) if (last < this.facts.floor) this.#lastPlaceByEpoch.delete(epoch);
  }

  #refuseSecondIntents(requests: readonly SaveRows[]): void {
    const isOpen = new RecordMap<boolean>();
    for (const { intents = [], settledIntents = [] } of requests) {
      for (const ref of settledIntents) isOpen.set(ref, false);
      for (const intent of intents) {
        if (isOpen.get(intent) ?? this.#intents.has(intent)) {
          throw new Error(`Record ${recordKey(intent)} has an intent already. Settle it before you announce another.`);
        }
        isOpen.set(intent, true);
      }
    }
  }
}

function writeOver(
  row: Row,
  { version, born, bornBy, data, deleted, writes, run, changedAt, origin, place }: Row,
): Row {
  row.version = version;
  row.born = born;
  row.bornBy = bornBy;
  row.data = data;
  row.text = undefined;
  row.deleted = deleted;
  row.writes = writes;
  row.run = run;
  row.changedAt = changedAt;
  row.origin = origin;
  row.place = place;
  return row;
}

/** Name by name, because spreading a record costs several times as much. The place is given at commit. */
function toRow(state: RecordState): Row {
  return {
    objectName: state.objectName,
    recordId: state.recordId,
    version: state.version,
    born: state.born,
    bornBy: state.bornBy,
    data: state.data && ownFields(state.data),
    text: undefined,
    deleted: state.deleted,
    writes: state.writes,
    run: state.run,
    changedAt: state.changedAt,
    origin: state.origin,
    place: 0,
  };
}

function toRecord(row: Row): StoredRecord {
  return {
    objectName: row.objectName,
    recordId: row.recordId,
    version: row.version,
    born: row.born,
    bornBy: row.bornBy,
    data: row.data && ownFields(row.data),
    deleted: row.deleted,
    writes: row.writes,
    run: row.run,
    changedAt: row.changedAt,
    origin: row.origin,
    place: row.place,
  };
}

function toFeedRecord(row: Row): FeedRecord {
  const { objectName, recordId, place, version, born, changedAt, origin } = row;
  return { objectName, recordId, place, version, born, data: textOf(row), changedAt, origin };
}

/** `null` for a tombstone. */
function textOf(row: Row): string | null {
  if (row.data === null) return null;
  if (row.text) return row.text;
  const text = JSON.stringify(row.data);
  row.text = row.text === undefined ? '' : text;
  return text;
}

/** What several indexes hold at higher places than `place`; one alone, as nearly always, is in order already. */
function inOrder([first, ...others]: readonly PlaceIndex<Row>[], place: number): Iterable<Row> {
  if (!first) return [];
  return others.length === 0
    ? first.after(place)
    : mergeByPlace([first, ...others].map((sequence) => sequence.after(place)));
}

function present<T>(values: readonly (T | undefined)[]): readonly T[] {
  return values.filter((value) => value !== undefined);
}
