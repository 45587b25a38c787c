/** What a store holds, as maps: the memory store without its turns and transactions. */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import { ownCopy } from './own-copy.js';
import { mergeByPlace, PlaceIndex } from './place-index.js';
import type {
  FeedRecord,
  Intent,
  LedgerRow,
  Loaded,
  LoadRequest,
  LogRow,
  PageQuery,
  PruneSlice,
  SaveRequest,
  StoredRecord,
  StoreFacts,
} from './sync-store.js';

/** A record with its data as text, of which nobody can change what was stored. */
type Row = Omit<StoredRecord, 'data' | 'place'> & Pick<FeedRecord, 'data'> & { place: number };

/** What a transaction saves, made independent of the objects it was said with. */
export type SaveRows = Omit<SaveRequest, 'records'> & { readonly records: readonly Row[] };

/** Ledger rows, log rows and a record's bookkeeping are made by this package alone, which never changes them. */
export function toRows({ records = [], intents = [], ...rest }: SaveRequest): SaveRows {
  return {
    ...rest,
    intents: ownCopy(intents),
    // The place is given at commit.
    records: records.map((state) => ({ ...state, data: state.data && JSON.stringify(state.data), place: 0 })),
  };
}

/** Synchronous, and whole: what it refuses, it refuses before it changes anything. */
export class MemoryTables {
  facts: StoreFacts;
  readonly #recordByKey = new Map<string, Row>();
  readonly #feed = new PlaceIndex<Row>();
  readonly #feedByObject = new Map<string, PlaceIndex<Row>>();
  readonly #tombstones = new Set<Row>();
  readonly #ledgerById = new Map<string, LedgerRow>();
  readonly #ledgerBySequence = new Map<string, LedgerRow>();
  readonly #logById = new Map<string, LogRow>();
  readonly #intentByKey = new Map<string, Intent>();

  constructor(epoch: string) {
    this.facts = { epoch, head: 0, floor: 0, versionFloor: 0 };
  }

  load({ records, mutationIds, log }: LoadRequest): Loaded {
    const keys = [...new Set(records.map(recordKey))];
    const rows = [
      ...mutationIds.map((id) => this.#ledgerById.get(id)),
      ...(log?.sequences ?? []).map((sequence) => this.#ledgerBySequence.get(sequenceKey(log?.logId ?? '', sequence))),
    ];
    return {
      facts: this.facts,
      records: present(keys.map((key) => this.#recordByKey.get(key))).map(toRecord),
      ledger: [...new Set(present(rows))],
      log: log && this.#logById.get(log.logId),
      intents: ownCopy(present(keys.map((key) => this.#intentByKey.get(key)))),
    };
  }

  page({ after, limit, objects }: PageQuery): readonly FeedRecord[] {
    const sequences = objects
      ? present([...new Set(objects)].map((objectName) => this.#feedByObject.get(objectName)))
      : [this.#feed];
    const records: FeedRecord[] = [];
    for (const record of mergeByPlace(sequences.map((sequence) => sequence.after(after)))) {
      if (records.length === limit) break;
      records.push(toFeedRecord(record));
    }
    return records;
  }

  /** Takes all the requests over, or throws. */
  save(requests: readonly SaveRows[]): void {
    this.#refuseTakenRows(requests.flatMap(({ ledger = [] }) => ledger));
    this.#refuseSecondIntents(requests);
    for (const { records, ledger = [], log, intents = [], settledIntents = [] } of requests) {
      let { head } = this.facts;
      for (const row of records) {
        head += 1;
        row.place = head;
        this.#place(row);
      }
      this.facts = { ...this.facts, head };
      for (const row of ledger) this.#enter(row);
      if (log) this.#saveLog(log);
      for (const ref of settledIntents) this.#intentByKey.delete(recordKey(ref));
      for (const intent of intents) this.#intentByKey.set(recordKey(intent), intent);
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
    return tombstones.length + rows.length;
  }

  #place(record: Row): void {
    this.#remove(record);
    this.#recordByKey.set(recordKey(record), record);
    this.#feed.add(record);
    const feed = this.#feedByObject.get(record.objectName) ?? new PlaceIndex();
    this.#feedByObject.set(record.objectName, feed);
    feed.add(record);
    if (record.data === null) this.#tombstones.add(record);
  }

  #remove(ref: RecordRef): void {
    const record = this.#recordByKey.get(recordKey(ref));
    if (!record) return;
    this.#recordByKey.delete(recordKey(ref));
    this.#feed.remove(record.place);
    this.#feedByObject.get(record.objectName)?.remove(record.place);
    this.#tombstones.delete(record);
  }

  #enter(row: LedgerRow): void {
    this.#ledgerById.set(row.mutationId, row);
    if (row.logId !== null) this.#ledgerBySequence.set(sequenceKey(row.logId, row.sequence), row);
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
    this.#remove(tombstone);
    const { floor, versionFloor } = this.facts;
    this.facts = {
      ...this.facts,
      floor: Math.max(floor, tombstone.place),
      versionFloor: Math.max(versionFloor, tombstone.version),
    };
  }

  #dropRow({ mutationId, logId, sequence }: LedgerRow): void {
    this.#ledgerById.delete(mutationId);
    if (logId === null) return;
    this.#ledgerBySequence.delete(sequenceKey(logId, sequence));
    const log = this.#logById.get(logId);
    if (log) this.#logById.set(logId, { ...log, floor: Math.max(log.floor, sequence) });
  }

  #refuseTakenRows(rows: readonly LedgerRow[]): void {
    const [ids, sequences] = [new Set<string>(), new Set<string>()];
    for (const { mutationId, logId, sequence } of rows) {
      const key = logId === null ? undefined : sequenceKey(logId, sequence);
      const isTaken =
        ids.has(mutationId) ||
        this.#ledgerById.has(mutationId) ||
        (key !== undefined && (sequences.has(key) || this.#ledgerBySequence.has(key)));
      if (isTaken) {
        throw new Error(`Mutation ${mutationId} or its sequence ${sequence} is in the ledger. Load before you save.`);
      }
      ids.add(mutationId);
      if (key !== undefined) sequences.add(key);
    }
  }

  #refuseSecondIntents(requests: readonly SaveRows[]): void {
    const announced = new Set<string>();
    const settled = new Set<string>();
    for (const { intents = [], settledIntents = [] } of requests) {
      for (const ref of settledIntents) {
        announced.delete(recordKey(ref));
        settled.add(recordKey(ref));
      }
      for (const intent of intents) {
        const key = recordKey(intent);
        if (announced.has(key) || (this.#intentByKey.has(key) && !settled.has(key))) {
          throw new Error(`Record ${key} has an intent already. Settle it before you announce another.`);
        }
        announced.add(key);
      }
    }
  }
}

function toRecord(row: Row): StoredRecord {
  return { ...row, data: row.data === null ? null : JSON.parse(row.data) };
}

function toFeedRecord({ objectName, recordId, place, version, born, data, changedAt, origin }: Row): FeedRecord {
  return { objectName, recordId, place, version, born, data, changedAt, origin };
}

function present<T>(values: readonly (T | undefined)[]): readonly T[] {
  return values.filter((value) => value !== undefined);
}

/** A number ends at the first colon, so no two pairs read the same. */
function sequenceKey(logId: string, sequence: number): string {
  return `${sequence}:${logId}`;
}
