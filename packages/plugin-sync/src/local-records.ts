/** The records as the user sees them: what the server last told, with the pending changes on top. */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import type { ClientLog } from './client-log.js';
import { type LocalRecord, rebase } from './rebase.js';
import { type Changed, RecordWatch } from './record-watch.js';
import type { BaseRecord, ClientStorage } from './storage/client-storage.js';
import { isEpochWalk } from './walk.js';

export interface LocalRecordsParts {
  readonly log: ClientLog;
  readonly storage: ClientStorage;
  /** Opens the storage, once. */
  readonly open: () => Promise<void>;
  readonly onListenerFailed: (error: unknown) => void;
}

/** What a change is made of. */
export interface ChangeTarget {
  /** `undefined` when there is none or its delete is pending. */
  readonly record: LocalRecord | undefined;
  /** To be asked for when the change is made: `null` where the record is not stored, or is of a feed that is no more. */
  readonly baseVersion: () => number | null;
}

interface Watcher {
  changed(changed: Changed): void;
  stop(): void;
}

/** The records of all objects. Reading costs what is read, never what is stored. */
export class LocalRecords {
  readonly #parts: LocalRecordsParts;
  readonly #watchersByRecord = new Map<string, Set<Watcher>>();
  readonly #watchersByObject = new Map<string, Set<Watcher>>();

  constructor(parts: LocalRecordsParts) {
    this.#parts = parts;
  }

  /** The record, or `undefined` when there is none or its delete is pending. */
  async get(ref: RecordRef): Promise<LocalRecord | undefined> {
    const [record] = await this.#getMany([ref]);
    return record;
  }

  /** What a change made now is of: the record as the user sees it, and the stored version underneath. */
  async target(ref: RecordRef): Promise<ChangeTarget> {
    const { log, storage, open } = this.#parts;
    await open();
    return log.read(async () => {
      const { epochs } = log.meta;
      const [base] = await storage.getRecords([ref]);
      const { walk } = log.meta;
      const record = rebase(ref, base, log.pending.ofRecord(ref));
      // A version of a feed that is no more tells nothing; another feed may come before the change is made.
      const isOfLostFeed = () => log.meta.epochs !== epochs || (isEpochWalk(walk) && base?.walk !== walk);
      return { record, baseVersion: () => (isOfLostFeed() ? null : (base?.version ?? null)) };
    });
  }

  /** All records of an object, in no particular order. */
  async list(objectName: string): Promise<readonly LocalRecord[]> {
    return [...(await this.#byKey(objectName)).values()];
  }

  /** The record as the server last told it, without what is pending. */
  async base({ objectName, recordId }: RecordRef): Promise<BaseRecord | undefined> {
    const { storage, open } = this.#parts;
    await open();
    const [base] = await storage.getRecords([{ objectName, recordId }]);
    return base;
  }

  /** Calls `listener` with the record now, and again whenever what the user sees of it changes. Returns what stops it. */
  watch(ref: RecordRef, listener: (record: LocalRecord | undefined) => unknown): () => void {
    const look = () => this.get(ref);
    const watcher = new RecordWatch({ look, listener, onFailed: this.#parts.onListenerFailed });
    return addWatcher(this.#watchersByRecord, recordKey(ref), watcher);
  }

  /** Calls `listener` with all records of the object now, and again whenever one changes. Returns what stops it. */
  watchAll(objectName: string, listener: (records: readonly LocalRecord[]) => unknown): () => void {
    let byKey: Map<string, LocalRecord> | undefined;
    const look = async (changed: Changed) => {
      byKey = changed === 'all' || !byKey ? await this.#byKey(objectName) : await this.#updated(byKey, changed);
      return [...byKey.values()];
    };
    const watcher = new RecordWatch({ look, listener, onFailed: this.#parts.onListenerFailed });
    return addWatcher(this.#watchersByObject, objectName, watcher);
  }

  /** Tells the watchers which records may look different now. None: those who could not look try again. */
  changed(changed: Changed): void {
    if (changed === 'all' || changed.length === 0) {
      for (const watcher of allOf(this.#watchersByRecord)) watcher.changed(changed);
      for (const watcher of allOf(this.#watchersByObject)) watcher.changed(changed);
      return;
    }
    if (this.#watchersByRecord.size + this.#watchersByObject.size === 0) return;
    for (const ref of changed) {
      for (const watcher of this.#watchersByRecord.get(recordKey(ref)) ?? []) watcher.changed([ref]);
      for (const watcher of this.#watchersByObject.get(ref.objectName) ?? []) watcher.changed([ref]);
    }
  }

  /** Base and pending are read together: between two commits, never in the middle of one. */
  async #getMany(refs: readonly RecordRef[]): Promise<readonly (LocalRecord | undefined)[]> {
    const { log, storage, open } = this.#parts;
    await open();
    return log.read(async () => {
      const bases = await storage.getRecords(refs.map(({ objectName, recordId }) => ({ objectName, recordId })));
      return refs.map((ref, index) => rebase(ref, bases[index], log.pending.ofRecord(ref)));
    });
  }

  async #byKey(objectName: string): Promise<Map<string, LocalRecord>> {
    const { log, storage, open } = this.#parts;
    await open();
    return log.read(async () => {
      const baseByKey = new Map<string, BaseRecord>();
      const refByKey = new Map<string, RecordRef>();
      for (const base of await storage.listRecords(objectName)) {
        const key = recordKey(base);
        baseByKey.set(key, base);
        refByKey.set(key, base);
      }
      for (const { mutation } of log.pending.ofObject(objectName)) refByKey.set(recordKey(mutation), mutation);
      const byKey = new Map<string, LocalRecord>();
      for (const [key, ref] of refByKey) {
        const record = rebase(ref, baseByKey.get(key), log.pending.ofRecord(ref));
        if (record) byKey.set(key, record);
      }
      return byKey;
    });
  }

  /** The same map with those records read again; the others stay the very objects they were. */
  async #updated(byKey: Map<string, LocalRecord>, refs: readonly RecordRef[]): Promise<Map<string, LocalRecord>> {
    const records = await this.#getMany(refs);
    for (const [index, ref] of refs.entries()) {
      const record = records[index];
      if (record) byKey.set(recordKey(ref), record);
      else byKey.delete(recordKey(ref));
    }
    return byKey;
  }
}

function addWatcher(watchersByKey: Map<string, Set<Watcher>>, key: string, watcher: Watcher): () => void {
  const watchers = watchersByKey.get(key) ?? new Set();
  watchersByKey.set(key, watchers.add(watcher));
  watcher.changed('all');
  return () => {
    watcher.stop();
    watchers.delete(watcher);
    if (watchers.size === 0 && watchersByKey.get(key) === watchers) watchersByKey.delete(key);
  };
}

function allOf(watchersByKey: ReadonlyMap<string, ReadonlySet<Watcher>>): readonly Watcher[] {
  return [...watchersByKey.values()].flatMap((watchers) => [...watchers]);
}
