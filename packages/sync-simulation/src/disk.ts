/**
 * What is durable on a device, and what the simulation knows about it. All its tabs share it, and a backup copies it.
 */
import { type BaseRecord, type ClientMeta, MemoryStorage, type StorageBatch } from '@objectql/plugin-sync';
import type { ObjectName } from './plan.js';
import { nameOf } from './record-name.js';
import { Shadow } from './shadow.js';

export const OBJECT_NAMES: readonly [ObjectName, ...ObjectName[]] = ['task', 'note', 'project'];

/** One device's storage. */
export class Disk {
  storage = new MemoryStorage();
  shadow = new Shadow();
  /** Mutations the user was told are durable. */
  told = new Set<string>();
  /** Mutations about which the user has decided: they need not be anywhere else any more. */
  decided = new Set<string>();
  /** Mutations that were set aside after too many failures: others have passed them since. */
  setAside = new Set<string>();
  /** Every mutation that has ever been in its log. */
  logged = new Set<string>();
  /** Their records and sequences. */
  readonly entryById = new Map<string, { readonly name: string; readonly sequence: number }>();
  /** The sequences with which they entered it. */
  readonly firstSequenceById = new Map<string, number>();
  /** Those that came back into it after they had left it. */
  readonly returned = new Set<string>();
  /** Ids of another device that the application has used: the server's outcomes of them are not ours. */
  reused = new Set<string>();
  /** True when another disk has, or had, the same log. */
  isCloned = false;
  /** The state before each batch since the last synced one: a power cut may take the records back to it. */
  #unsynced: readonly Told[] = [];

  /** Notes a batch that is stored now. */
  committed(batch: StorageBatch): void {
    const { meta, records } = this.shadow;
    const isLeftToSystem = meta !== undefined && isToldByServer(batch, meta);
    for (const { mutation } of batch.putEntries ?? []) {
      const { id, sequence } = mutation;
      if (!this.firstSequenceById.has(id)) this.firstSequenceById.set(id, sequence);
      else if (!this.shadow.pending.has(id)) this.returned.add(id);
    }
    this.#unsynced = isLeftToSystem ? [...this.#unsynced, { meta, records: [...records.values()] }] : [];
    this.shadow.apply(batch);
  }

  /** All durable records. */
  async records(): Promise<readonly BaseRecord[]> {
    return (await Promise.all(OBJECT_NAMES.map((name) => this.storage.listRecords(name)))).flat();
  }

  /** Loses everything. */
  clear(): void {
    this.storage = new MemoryStorage();
    this.shadow = new Shadow();
    this.#unsynced = [];
    this.told = new Set();
    this.decided = new Set();
    this.setAside = new Set();
    this.reused = new Set();
    this.isCloned = false;
    // What it had logged stays its own: late copies may still arrive, and the next log is another one.
  }

  /** Keeps what only this device has, and asks for the records again, as after the browser has lost its database. */
  async loseRecords(): Promise<void> {
    const { meta } = this.shadow;
    if (meta) await this.#goBack({ meta: { ...meta, checkpoint: null, walk: null }, records: [] });
  }

  /** Loses some of what the server told last, and everything after it, as in a power cut. Keeps `share` of it. */
  async cutPower(share: number, { isTorn = false }: { readonly isTorn?: boolean | undefined } = {}): Promise<void> {
    const before = this.#unsynced[Math.floor(share * (this.#unsynced.length + 1))];
    const { meta } = isTorn ? this.shadow : (before ?? {});
    if (before && meta) await this.#goBack({ ...before, meta });
  }

  /** Keeps what only this device has. */
  async #goBack({ meta, records }: Told): Promise<void> {
    const { entries, conflicts, deadLetters } = await this.storage.load();
    this.storage = new MemoryStorage();
    await this.storage.commit({
      meta,
      putEntries: entries,
      putRecords: records,
      putConflicts: conflicts,
      putDeadLetters: deadLetters,
    });
    this.shadow.meta = meta;
    this.shadow.records = new Map(records.map((record) => [nameOf(record), record]));
    this.#unsynced = [];
  }

  /** Becomes a copy of another disk, as when a device is cloned, or restored from a backup. */
  async copyFrom(other: Disk): Promise<void> {
    const { meta, entries, conflicts, deadLetters } = await other.storage.load();
    const putRecords = await other.records();
    this.clear();
    this.isCloned = true;
    other.isCloned = true;
    await this.storage.commit({
      ...(meta ? { meta } : {}),
      putEntries: entries,
      putRecords,
      putConflicts: conflicts,
      putDeadLetters: deadLetters,
    });
    this.shadow = other.shadow.copy();
    this.told = new Set(other.told);
    this.decided = new Set(other.decided);
    this.setAside = new Set(other.setAside);
    this.reused = new Set(other.reused);
    this.logged = new Set(other.logged);
  }
}

/** What the server has told a device, and can tell again. */
interface Told {
  readonly meta: ClientMeta;
  readonly records: readonly BaseRecord[];
}

/** True for a batch without anything of the user's or an outcome. Not the product's own rule, which is under test. */
function isToldByServer(batch: StorageBatch, stored: ClientMeta): boolean {
  const { logId, nextSequence, user, epochs } = batch.meta ?? stored;
  return (
    !batch.putEntries?.length &&
    !batch.removeEntries?.length &&
    !batch.putConflicts?.length &&
    !batch.removeConflicts?.length &&
    !batch.putDeadLetters?.length &&
    !batch.removeDeadLetters?.length &&
    logId === stored.logId &&
    nextSequence === stored.nextSequence &&
    user === stored.user &&
    epochs === stored.epochs
  );
}
