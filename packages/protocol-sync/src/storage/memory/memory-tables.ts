/** The contents of a store, as maps: the memory store without its turns and transactions. */
import { RecordMap, recordKey } from '@objectql/sync-types';
import { KEPT_EPOCHS } from '../epoch-watch.js';
import { ownCopy } from '../own-copy.js';
import {
  type FeedRecord,
  type Intent,
  type LedgerRow,
  type Loaded,
  type LoadRequest,
  type LogRow,
  logsIn,
  type PageQuery,
  type PruneSlice,
  type SaveRequest,
  type StoredRecord,
  type StoreFacts,
} from '../sync-store.js';
import { MemoryLedger } from './memory-ledger.js';
import { type Row, toFeedRecord, toRecord, toRow, writeOver } from './memory-row.js';
import { mergeByPlace, PlaceIndex } from './place-index.js';

/** What a transaction saves, independent of the caller's objects. */
export type SaveRows = Omit<SaveRequest, 'records'> & { readonly records: readonly Row[] };

/** Only this package makes ledger rows, log rows and a record's bookkeeping, and it never changes them. */
export function toRows({ records = [], intents = [], ...rest }: SaveRequest): SaveRows {
  return {
    ...rest,
    intents: ownCopy(intents),
    records: records.map(toRow),
  };
}

/** Synchronous, and all or nothing: it refuses a request before it changes anything. */
export class MemoryTables {
  /** The epoch is empty until the store is opened. */
  facts: StoreFacts = { epoch: '', head: 0, floor: 0, versionFloor: 0 };
  readonly #records = new RecordMap<Row>();
  readonly #feed = new PlaceIndex<Row>();
  readonly #feedByObject = new Map<string, PlaceIndex<Row>>();
  readonly #tombstones = new Set<Row>();
  readonly #ledger = new MemoryLedger();
  readonly #logById = new Map<string, LogRow>();
  readonly #intents = new RecordMap<Intent>();
  /** The epochs that the present one continues, with their last places, rising. */
  readonly #lastPlaceByEpoch = new Map<string, number>();

  /** The facts, including how far the given epoch goes. */
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
      ledger: this.#ledger.recall(mutationIds, logsIn(request)),
      log: log && this.#logById.get(log.logId),
      formerLogs: present(formerLogs.map(({ logId }) => this.#logById.get(logId))),
      intents,
    };
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

  /** Saves all the requests in the given epoch, or throws. */
  save(requests: readonly SaveRows[], epoch = this.facts.epoch): void {
    this.#refuseSecondIntents(requests);
    this.#ledger.enter(requests.flatMap(({ ledger = [] }) => ledger));
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

  prune(slice: PruneSlice): number {
    const { before, limit } = slice;
    const tombstones = [...this.#tombstones]
      .filter(({ changedAt }) => changedAt < before)
      .sort((a, b) => a.changedAt - b.changedAt)
      .slice(0, limit);
    const rows = this.#ledger.due(slice);
    for (const tombstone of tombstones) this.#dropTombstone(tombstone);
    for (const row of rows) this.#dropRow(row);
    this.#dropEpochs();
    return tombstones.length + rows.length;
  }

  #place(record: Row): void {
    const before = this.#records.get(record);
    if (before) this.#leaveFeed(before);
    else this.#records.set(record, record);
    // An existing row is overwritten: new objects die young, and nothing has to be found or moved in the map.
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
    this.#ledger.leave(row);
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
        if (isOpen.get(intent) ?? this.#intents.get(intent)) {
          throw new Error(`Record ${recordKey(intent)} has an intent already. Settle it before you announce another.`);
        }
        isOpen.set(intent, true);
      }
    }
  }
}

/**
 * Merges what several indexes hold at higher places than `place`; a single one, as nearly always, is in order already.
 */
function inOrder([first, ...others]: readonly PlaceIndex<Row>[], place: number): Iterable<Row> {
  if (!first) return [];
  return others.length === 0
    ? first.after(place)
    : mergeByPlace([first, ...others].map((sequence) => sequence.after(place)));
}

function present<T>(values: readonly (T | undefined)[]): readonly T[] {
  return values.filter((value) => value !== undefined);
}
