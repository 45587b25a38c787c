/** The records as the user sees them: what the server last told, with the pending changes on top. */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import { isEpochWalk } from '../answer/walk.js';
import type { Listeners } from '../listeners/listeners.js';
import type { ClientLog } from '../log/client-log.js';
import type { Platform } from '../platform/platform.js';
import type { BaseRecord, ClientStorage, StoredEntry } from '../storage/client-storage.js';
import { byId, placeOf } from './by-id.js';
import { type LocalRecord, rebase } from './rebase.js';
import { type Changed, RecordWatch } from './record-watch.js';

export interface LocalRecordsParts {
  readonly log: ClientLog;
  readonly storage: ClientStorage;
  readonly platform: Platform;
  /** Hear what fails, and know whether the client is closed. */
  readonly listeners: Pick<Listeners, 'report' | 'isClosed'>;
  /** Called whenever somebody begins to watch. */
  readonly onWatched: () => void;
}

/** What a change is based on. */
export interface ChangeTarget {
  /** The record as the server last told it, without pending changes. */
  readonly base: BaseRecord | undefined;
  /** Its pending entries, the oldest first. */
  readonly pending: readonly StoredEntry[];
  /**
   * Call it when the change is made. `null` if the record is not stored, or belongs to a feed that no longer exists.
   */
  readonly baseVersion: () => number | null;
}

interface Watcher {
  changed(changed: Changed): void;
  stop(): void;
}

/** 10 s: a lost connection to the storage is soon back, and a broken storage is not reported more often. */
const LOOK_AGAIN_MS = 10_000;

/** 100: each takes its place in a list of 100,000 in at most half a millisecond; to merge many takes 50. */
const FEW = 100;

/** The records of all objects. Reading costs what is read, never what is stored. */
export class LocalRecords {
  readonly #parts: LocalRecordsParts;
  /** Watchers of one record, and of all records of an object. */
  readonly #watchersByKey = new Map<string, Set<Watcher>>();
  #cancelRetry = () => {};

  constructor(parts: LocalRecordsParts) {
    this.#parts = parts;
  }

  /** The record, or `undefined` when there is none or its delete is pending. */
  async get(ref: RecordRef): Promise<LocalRecord | undefined> {
    const { base, pending } = await this.target(ref);
    return rebase(ref, base, pending);
  }

  /** What a change made now is based on: what the user sees, and the stored version underneath. */
  async target(ref: RecordRef): Promise<ChangeTarget> {
    const { log, storage } = this.#parts;
    await log.load();
    return log.read(async () => {
      const { epochs } = log.meta;
      // A page may ask with an id that is missing in its address or is no number: not every storage accepts that.
      const isId = typeof ref.recordId === 'string' || Number.isSafeInteger(ref.recordId);
      const [base] = isId ? await storage.getRecords([ref]) : [];
      const { walk } = log.meta;
      const pending = log.pending.ofRecord(ref);
      // A version of a feed that no longer exists tells nothing; a new feed may come before the change is made.
      const isOfLostFeed = () => log.meta.epochs !== epochs || (isEpochWalk(walk) && base?.walk !== walk);
      return { base, pending, baseVersion: () => (isOfLostFeed() ? null : (base?.version ?? null)) };
    });
  }

  /** All records of an object, in no particular order. */
  async list(objectName: string): Promise<readonly LocalRecord[]> {
    const { log, storage } = this.#parts;
    await log.load();
    return log.read(async () => {
      const bases = await storage.listRecords(objectName);
      const others = new Map(log.pending.ofObject(objectName).map(({ mutation }) => [mutation.recordId, mutation]));
      for (const { recordId } of bases) others.delete(recordId);
      return this.#shown([...bases, ...others.values()], bases);
    });
  }

  /** Calls `listener` with the record now, and again whenever what the user sees of it changes. Returns what stops it. */
  watch(ref: RecordRef, listener: (record: LocalRecord | undefined) => unknown): () => void {
    return this.#watch(recordKey(ref), () => this.get(ref), listener);
  }

  /**
   * Calls `listener` with all records of the object in the order of their ids, now and whenever one changes. Returns
   * what stops it.
   */
  watchAll(objectName: string, listener: (records: readonly LocalRecord[]) => unknown): () => void {
    const { log, storage } = this.#parts;
    let list: LocalRecord[] = [];
    const look = async (changed: Changed) => {
      const isAll = changed === 'all';
      const read = await (isAll
        ? this.list(objectName)
        : log.read(async () => this.#shown(changed, await storage.getRecords(changed))));
      if (!isAll && changed.length < FEW) {
        for (const ref of changed) {
          const at = placeOf(ref, list);
          if (list[at]?.recordId === ref.recordId) list.splice(at, 1);
        }
        for (const record of read) list.splice(placeOf(record, list), 0, record);
      } else {
        const ids = new Set(isAll ? [] : changed.map(({ recordId }) => recordId));
        const kept = list.filter(({ recordId }) => !isAll && !ids.has(recordId));
        // Both in order nearly always: the sort then looks at each record once.
        list = [...kept, ...read].sort(byId);
      }
      return [...list];
    };
    return this.#watch(objectKey(objectName), look, listener);
  }

  /**
   * Tells the watchers which records may look different now; without any, watchers whose last read failed try again.
   */
  changed(changed: Changed): void {
    if (changed === 'all' || changed.length === 0) {
      for (const watchers of this.#watchersByKey.values()) for (const watcher of watchers) watcher.changed(changed);
      return;
    }
    if (this.#watchersByKey.size === 0) return;
    for (const ref of changed) {
      for (const key of [recordKey(ref), objectKey(ref.objectName)]) {
        for (const watcher of this.#watchersByKey.get(key) ?? []) watcher.changed([ref]);
      }
    }
  }

  /** No watcher tries again after this. */
  close(): void {
    this.#cancelRetry();
  }

  #watch<Seen>(key: string, look: (changed: Changed) => Promise<Seen>, listener: (seen: Seen) => unknown): () => void {
    const { platform, listeners, onWatched } = this.#parts;
    const onFailed = (error: unknown) => {
      listeners.report(error);
      this.#cancelRetry();
      if (!listeners.isClosed) this.#cancelRetry = platform.setTimer(() => this.changed([]), LOOK_AGAIN_MS);
    };
    const watcher = new RecordWatch({ look, listener, onFailed });
    const watchers = this.#watchersByKey.get(key) ?? new Set();
    this.#watchersByKey.set(key, watchers.add(watcher));
    watcher.changed('all');
    onWatched();
    return () => {
      watcher.stop();
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#watchersByKey.get(key) === watchers) this.#watchersByKey.delete(key);
    };
  }

  /** What the user sees of these records. Call it in the turn that read `bases`: base and pending fit together only there. */
  #shown(refs: readonly RecordRef[], bases: readonly (BaseRecord | undefined)[]): readonly LocalRecord[] {
    const { pending } = this.#parts.log;
    return refs.flatMap((ref, index) => rebase(ref, bases[index], pending.ofRecord(ref)) ?? []);
  }
}

/** No record's key: an id is never empty. */
function objectKey(objectName: string): string {
  return recordKey({ objectName, recordId: '' });
}
