/** The records as the user sees them: what the server last told, with the pending changes on top. */
import { type RecordId, type RecordRef, recordKey } from '@objectql/sync-types';
import type { MutationLogger } from './mutation-logger.js';
import { type LocalRecord, rebase } from './rebase.js';
import type { ClientStorage } from './storage/client-storage.js';

type Stop = () => void;

/** The records of all objects. Reading costs what is read, never what is stored. */
export class LocalRecords {
  readonly #log: MutationLogger;
  readonly #storage: ClientStorage;
  readonly #onListenerFailed: (error: unknown) => void;
  readonly #watchers = new Set<(changed: readonly RecordRef[] | 'all') => Promise<void>>();

  constructor(log: MutationLogger, storage: ClientStorage, onListenerFailed: (error: unknown) => void) {
    this.#log = log;
    this.#storage = storage;
    this.#onListenerFailed = onListenerFailed;
  }

  /** The record, or `undefined` when there is none or its delete is pending. */
  async get(objectName: string, recordId: RecordId): Promise<LocalRecord | undefined> {
    await this.#log.load();
    const ref = { objectName, recordId };
    const [base] = await this.#storage.getRecords([ref]);
    return rebase(ref, base, this.#log.entriesOf(ref));
  }

  /** All records of an object, in no particular order. */
  async list(objectName: string): Promise<readonly LocalRecord[]> {
    return [...(await this.#byKey(objectName)).values()];
  }

  /** Calls `listener` with the record now, and again whenever what the user sees of it changes. Returns what stops it. */
  watch(ref: RecordRef, listener: (record: LocalRecord | undefined) => void): Stop {
    const key = recordKey(ref);
    return this.#watch(async (changed) => {
      if (changed !== 'all' && !changed.some((other) => recordKey(other) === key)) return;
      const record = await this.get(ref.objectName, ref.recordId);
      return () => listener(record);
    });
  }

  /** Calls `listener` with all records of the object now, and again whenever one changes. Returns what stops it. */
  watchAll(objectName: string, listener: (records: readonly LocalRecord[]) => void): Stop {
    let byKey: Map<string, LocalRecord> | undefined;
    return this.#watch(async (changed) => {
      if (changed === 'all' || !byKey) byKey = await this.#byKey(objectName);
      else {
        const refs = changed.filter((ref) => ref.objectName === objectName);
        if (refs.length === 0) return;
        const bases = await this.#storage.getRecords(refs);
        for (const [index, ref] of refs.entries()) {
          const record = rebase(ref, bases[index], this.#log.entriesOf(ref));
          if (record) byKey.set(recordKey(ref), record);
          else byKey.delete(recordKey(ref));
        }
      }
      const records = [...byKey.values()];
      return () => listener(records);
    });
  }

  /** Tells the watchers which records may look different now. */
  changed(refs: readonly RecordRef[] | 'all'): void {
    if (refs.length > 0) for (const watcher of this.#watchers) void watcher(refs);
  }

  async #byKey(objectName: string): Promise<Map<string, LocalRecord>> {
    await this.#log.load();
    const bases = new Map((await this.#storage.listRecords(objectName)).map((base) => [recordKey(base), base]));
    const refs = new Map<string, RecordRef>([...bases].map(([key, { recordId }]) => [key, { objectName, recordId }]));
    for (const { recordId } of this.#log.getPendingForObject(objectName)) {
      refs.set(recordKey({ objectName, recordId }), { objectName, recordId });
    }
    const records = new Map<string, LocalRecord>();
    for (const [key, ref] of refs) {
      const record = rebase(ref, bases.get(key), this.#log.entriesOf(ref));
      if (record) records.set(key, record);
    }
    return records;
  }

  /** Looks one after another, so that a listener never hears an older state after a newer one. */
  #watch(look: (changed: readonly RecordRef[] | 'all') => Promise<(() => void) | undefined>): Stop {
    let isStopped = false;
    let last: Promise<void> = Promise.resolve();
    const watcher = (changed: readonly RecordRef[] | 'all') => {
      last = last.then(async () => {
        if (isStopped) return;
        try {
          const tell = await look(changed);
          if (!isStopped) tell?.();
        } catch (error) {
          this.#onListenerFailed(error);
        }
      });
      return last;
    };
    this.#watchers.add(watcher);
    void watcher('all');
    return () => {
      isStopped = true;
      this.#watchers.delete(watcher);
    };
  }
}
