/** The records of one object, as an application reads and changes them. */
import type { JsonObject, MutationLogEntry, MutationOperation, RecordId } from '@objectql/sync-types';
import { type CheckedMutation, checkNewMutation } from '../log/new-mutation.js';
import type { SyncClient } from '../sync-client.js';
import { SyncUsageError } from '../sync-usage-error.js';
import { isShown, type LocalRecord } from './rebase.js';

/** The fields an application hands in; plain JSON, checked when it is recorded. */
export type RecordData = Readonly<Record<string, unknown>>;
/** The fields of a new record: all of them if the app has declared them, else any. */
export type NewFields<Fields extends object> = JsonObject extends Fields ? RecordData : Readonly<Fields>;
type Stop = () => void;
type Watch<Fields extends object = JsonObject> = (record: LocalRecord<Fields> | undefined) => void | Promise<void>;
type WatchAll<Fields extends object = JsonObject> = (records: readonly LocalRecord<Fields>[]) => void | Promise<void>;

/**
 * Records with the fields that the app declares: `plugin.getEngine<Task>('task').records`; any fields without that.
 * `create`, `update` and `delete` need no network; what they record is durable when the engine's `flush()` resolves.
 */
export class ObjectRecords<Fields extends object = JsonObject> {
  readonly #client: SyncClient;
  readonly #objectName: string | undefined;

  /** Without an object's name it serves all objects: name one with `of`. */
  constructor(client: SyncClient, objectName: string | undefined) {
    this.#client = client;
    this.#objectName = objectName;
  }

  /** The records of that object. */
  of<Other extends object = JsonObject>(objectName: string): ObjectRecords<Other> {
    return new ObjectRecords(this.#client, objectName);
  }

  /** The record, or `undefined` when there is none or its delete is pending. */
  async get(recordId: RecordId): Promise<LocalRecord<Fields> | undefined> {
    // The app declares the fields, here and below: a log of JSON keeps no types.
    return this.#client.records.get({ objectName: this.#name, recordId }) as Promise<LocalRecord<Fields> | undefined>;
  }

  /** All records, in no particular order. */
  async list(): Promise<readonly LocalRecord<Fields>[]> {
    return this.#client.records.list(this.#name) as Promise<readonly LocalRecord<Fields>[]>;
  }

  /**
   * Calls `listener` with all records in the order of their ids, soon and whenever one changes. Returns what stops it.
   * The first subscription asks the server for its records.
   */
  subscribe(listener: WatchAll<Fields>): Stop;
  /** Calls `listener` with one record soon, and again whenever it changes. Returns what stops it. */
  subscribe(recordId: RecordId, listener: Watch<Fields>): Stop;
  subscribe(which: RecordId | WatchAll<Fields>, listener?: Watch<Fields>): Stop {
    const { records } = this.#client;
    if (typeof which === 'function') return records.watchAll(this.#name, which as WatchAll);
    return records.watch({ objectName: this.#name, recordId: which }, listener as Watch);
  }

  /**
   * Records the creation of a record and returns the mutation at once; `settled(mutation.id)` of the engine tells what
   * became of it. It overtakes earlier calls that you have not awaited: await a `delete` of the record before you create
   * it again. Throws `SyncUsageError`, like `recordMutation`.
   */
  create(recordId: RecordId, data: NewFields<Fields>): MutationLogEntry {
    return this.#client.record(this.#checked('create', recordId, data));
  }

  /**
   * Records a change of some fields as they are now, based on the version the user sees; a field set to `null` stays,
   * empty. Rejects with `SyncUsageError`, `UNKNOWN_RECORD` when there is no such record here.
   */
  update(recordId: RecordId, data: Partial<NewFields<Fields>>): Promise<MutationLogEntry> {
    return this.#change('update', recordId, data);
  }

  /**
   * Records the deletion of a record, based on the version the user sees. Rejects with `SyncUsageError`,
   * `UNKNOWN_RECORD` when there is no such record here.
   */
  delete(recordId: RecordId): Promise<MutationLogEntry> {
    return this.#change('delete', recordId);
  }

  #change(operation: 'update' | 'delete', recordId: RecordId, fields?: RecordData): Promise<MutationLogEntry> {
    return this.#client.recording(async (before) => {
      const { records, configs } = this.#client;
      // A copy, because the application may empty the form they come from while the version is looked up.
      const { objectName, data } = this.#checked(operation, recordId, fields);
      const { base, pending, baseVersion } = await records.target({ objectName, recordId });
      await before;
      // A push-only object keeps no records, so this cannot be checked there.
      if (!isShown(base, pending) && configs.keepsRecordsOf(objectName)) {
        const message = `There is no ${objectName} with the id ${recordId} here. Create it, or sync first.`;
        throw new SyncUsageError('UNKNOWN_RECORD', message);
      }
      // Name by name: a spread makes an object of another shape, and every edit passes here.
      return this.#client.record({ objectName, recordId, operation, data, baseVersion: baseVersion() });
    });
  }

  #checked(operation: MutationOperation, recordId: RecordId, data?: RecordData): CheckedMutation {
    return checkNewMutation({ objectName: this.#name, recordId, operation, data, baseVersion: null });
  }

  get #name(): string {
    if (this.#objectName !== undefined) return this.#objectName;
    throw new SyncUsageError('WRONG_OBJECT', "This engine serves all objects: name one with records.of('task').");
  }
}
