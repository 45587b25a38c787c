/** A store in memory, gone with the process: for tests, examples and servers that can afford to forget. */
import { recordKey } from '@objectql/sync-types';
import { type Platform, systemPlatform } from '../platform/platform.js';
import { Mutex } from './mutex.js';
import type {
  Intent,
  LedgerRow,
  Loaded,
  LoadRequest,
  LogRow,
  Page,
  PageQuery,
  PruneSlice,
  SaveRequest,
  StoredRecord,
  StoreFacts,
  StoreTransaction,
  SyncStore,
} from './sync-store.js';

export interface MemoryStoreOptions {
  readonly platform?: Pick<Platform, 'randomId'>;
}

export class MemoryStore implements SyncStore {
  readonly #mutex = new Mutex();
  readonly #newEpoch: () => string;
  readonly #recordByKey = new Map<string, StoredRecord>();
  /** The feed: the record at place p stands at index p - 1 - `#feedStart`; a hole where it was written again since. */
  #feed: (StoredRecord | undefined)[] = [];
  #feedStart = 0;
  readonly #ledgerById = new Map<string, LedgerRow>();
  readonly #mutationIdBySequence = new Map<string, string>();
  readonly #logById = new Map<string, LogRow>();
  readonly #intentByKey = new Map<string, Intent>();
  readonly #listeners = new Set<(head: number) => void>();
  #facts: StoreFacts;
  #isClosed = false;

  constructor({ platform = systemPlatform }: MemoryStoreOptions = {}) {
    this.#newEpoch = () => platform.randomId();
    this.#facts = { epoch: this.#newEpoch(), head: 0, floor: 0, versionFloor: 0 };
  }

  async open(): Promise<void> {}

  async transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#mutex.run(async () => {
      this.#refuseClosed();
      const staged: SaveRequest[] = [];
      const result = await work({
        handle: undefined,
        load: async (request) => this.#load(request),
        save: async (request) => {
          staged.push(structuredClone(request));
        },
        savepoint: (savedWork) => savedWork(),
      });
      const headBefore = this.#facts.head;
      for (const request of staged) this.#save(request);
      if (this.#facts.head > headBefore) for (const listener of this.#listeners) listener(this.#facts.head);
      return result;
    });
  }

  async page({ after, limit, objects }: PageQuery): Promise<Page> {
    this.#refuseClosed();
    const records: StoredRecord[] = [];
    for (
      let index = Math.max(0, after - this.#feedStart);
      index < this.#feed.length && records.length < limit;
      index++
    ) {
      const record = this.#feed[index];
      if (record && (!objects || objects.includes(record.objectName))) records.push(record);
    }
    return { facts: this.#facts, records };
  }

  async prune({ before, limit }: PruneSlice): Promise<{ readonly removed: number }> {
    return this.#mutex.run(async () => {
      this.#refuseClosed();
      const tombstones = this.#feed
        .filter((record): record is StoredRecord => record?.deleted != null && record.changedAt < before)
        .slice(0, limit);
      for (const record of tombstones) this.#dropTombstone(record);
      const rows = [...this.#ledgerById.values()].filter(({ at }) => at < before).slice(0, limit);
      for (const row of rows) this.#dropRow(row);
      return { removed: Math.max(tombstones.length, rows.length) };
    });
  }

  async changeEpoch(): Promise<string> {
    return this.#mutex.run(async () => {
      this.#facts = { ...this.#facts, epoch: this.#newEpoch() };
      return this.#facts.epoch;
    });
  }

  onCommit(listener: (head: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#mutex.run(async () => {
      this.#isClosed = true;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #load({ records, mutationIds, log }: LoadRequest): Loaded {
    const rowById = new Map<string, LedgerRow>();
    const bySequence = log?.sequences.map((sequence) =>
      this.#mutationIdBySequence.get(sequenceKey(log.logId, sequence)),
    );
    for (const id of [...mutationIds, ...(bySequence ?? [])]) {
      const row = id === undefined ? undefined : this.#ledgerById.get(id);
      if (row) rowById.set(row.mutationId, row);
    }
    const keys = new Set(records.map(recordKey));
    const found = <T>(byKey: ReadonlyMap<string, T>) =>
      [...keys].flatMap((key) => {
        const value = byKey.get(key);
        return value === undefined ? [] : [value];
      });
    return structuredClone({
      facts: this.#facts,
      records: found(this.#recordByKey),
      ledger: [...rowById.values()],
      log: log && this.#logById.get(log.logId),
      intents: found(this.#intentByKey),
    });
  }

  #save({ records = [], ledger = [], log, intents = [], settledIntents = [] }: SaveRequest): void {
    for (const state of records) {
      const key = recordKey(state);
      const before = this.#recordByKey.get(key);
      if (before) this.#leavePlace(before);
      const record = { ...state, place: this.#facts.head + 1 };
      this.#recordByKey.set(key, record);
      this.#feed.push(record);
      this.#facts = { ...this.#facts, head: record.place };
    }
    for (const row of ledger) {
      this.#ledgerById.set(row.mutationId, row);
      if (row.logId !== null) this.#mutationIdBySequence.set(sequenceKey(row.logId, row.sequence), row.mutationId);
    }
    if (log) this.#logById.set(log.logId, log);
    for (const intent of intents) this.#intentByKey.set(recordKey(intent), intent);
    for (const ref of settledIntents) this.#intentByKey.delete(recordKey(ref));
    this.#compactFeed();
  }

  #leavePlace({ place }: StoredRecord): void {
    this.#feed[place - 1 - this.#feedStart] = undefined;
    this.#holes += 1;
  }

  #holes = 0;

  /** Drops the leading holes once they are half of the feed, so that its length follows the records, not their history. */
  #compactFeed(): void {
    if (this.#holes * 2 < this.#feed.length) return;
    const first = this.#feed.findIndex((record) => record !== undefined);
    const leading = first === -1 ? this.#feed.length : first;
    this.#feed = this.#feed.slice(leading);
    this.#feedStart += leading;
    this.#holes -= leading;
  }

  #dropTombstone(record: StoredRecord): void {
    this.#leavePlace(record);
    this.#recordByKey.delete(recordKey(record));
    const { floor, versionFloor } = this.#facts;
    this.#facts = {
      ...this.#facts,
      floor: Math.max(floor, record.place),
      versionFloor: Math.max(versionFloor, record.version),
    };
  }

  #dropRow({ mutationId, logId, sequence }: LedgerRow): void {
    this.#ledgerById.delete(mutationId);
    if (logId === null) return;
    this.#mutationIdBySequence.delete(sequenceKey(logId, sequence));
    const log = this.#logById.get(logId);
    if (log) this.#logById.set(logId, { ...log, floor: Math.max(log.floor, sequence) });
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new Error('The store is closed. Open a new one.');
  }
}

function sequenceKey(logId: string, sequence: number): string {
  return `${sequence}:${logId}`;
}
