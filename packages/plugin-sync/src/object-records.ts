/** The records of one object, as an application reads and changes them. */
import type { MutationLogEntry, RecordId } from '@objectql/sync-types';
import { checkNewMutation } from './new-mutation.js';
import type { LocalRecord } from './rebase.js';
import type { SyncClient } from './sync-client.js';
import { SyncUsageError } from './sync-usage-error.js';

/** The fields an application hands in; plain JSON, checked when it is recorded. */
export type RecordData = Readonly<Record<string, unknown>>;
type Stop = () => void;

export class ObjectRecords {
  readonly #client: SyncClient;
  readonly #objectName: string | undefined;

  /** Without an object's name it serves all objects: name one with `of`. */
  constructor(client: SyncClient, objectName: string | undefined) {
    this.#client = client;
    this.#objectName = objectName;
  }

  /** The records of that object. */
  of(objectName: string): ObjectRecords {
    return new ObjectRecords(this.#client, objectName);
  }

  /** The record, or `undefined` when there is none or its delete is pending. */
  async get(recordId: RecordId): Promise<LocalRecord | undefined> {
    return this.#client.records.get({ objectName: this.#name, recordId });
  }

  /** All records, in no particular order. */
  async list(): Promise<readonly LocalRecord[]> {
    return this.#client.records.list(this.#name);
  }

  /** Calls `listener` with all records soon, and again whenever one changes. Returns what stops it. */
  subscribe(listener: (records: readonly LocalRecord[]) => void | Promise<void>): Stop;
  /** Calls `listener` with one record soon, and again whenever it changes. Returns what stops it. */
  subscribe(recordId: RecordId, listener: (record: LocalRecord | undefined) => void | Promise<void>): Stop;
  subscribe(
    ...args:
      | [(records: readonly LocalRecord[]) => void | Promise<void>]
      | [RecordId, (record: LocalRecord | undefined) => void | Promise<void>]
  ): Stop {
    const { records } = this.#client;
    if (args.length === 1) return records.watchAll(this.#name, args[0]);
    const [recordId, listener] = args;
    return records.watch({ objectName: this.#name, recordId }, listener);
  }

  /** Records the creation of a record and returns the mutation at once. */
  create(recordId: RecordId, data: RecordData): MutationLogEntry {
    return this.#client.record({ objectName: this.#name, recordId, operation: 'create', data, baseVersion: null });
  }

  /**
   * Records a change of some fields as they are now, based on the version the user sees. Rejects when there is no such record
   * here.
   */
  update(recordId: RecordId, data: RecordData): Promise<MutationLogEntry> {
    return this.#client.recording(this.#change(recordId, 'update', data));
  }

  /** Records the deletion of a record, based on the version the user sees. Rejects when there is no such record here. */
  delete(recordId: RecordId): Promise<MutationLogEntry> {
    return this.#client.recording(this.#change(recordId, 'delete'));
  }

  async #change(recordId: RecordId, operation: 'update' | 'delete', fields?: RecordData): Promise<MutationLogEntry> {
    const objectName = this.#name;
    // A copy, because the application may empty the form they come from while the version is looked up.
    const { data } = checkNewMutation({ objectName, recordId, operation, data: fields, baseVersion: null });
    const baseVersion = await this.#baseVersion(recordId);
    return this.#client.record({ objectName, recordId, operation, data, baseVersion: baseVersion() });
  }

  async #baseVersion(recordId: RecordId): Promise<() => number | null> {
    const ref = { objectName: this.#name, recordId };
    const { records, configs } = this.#client;
    const { record, baseVersion } = await records.target(ref);
    // A push-only object keeps no records, so there nobody can tell.
    if (!record && configs.keepsRecordsOf(ref.objectName)) {
      const message = `There is no ${ref.objectName} with the id ${recordId} here. Create it, or sync first.`;
      throw new SyncUsageError('UNKNOWN_RECORD', message);
    }
    return baseVersion;
  }

  get #name(): string {
    if (this.#objectName !== undefined) return this.#objectName;
    throw new SyncUsageError('WRONG_OBJECT', "This engine serves all objects: name one with records.of('task').");
  }
}
