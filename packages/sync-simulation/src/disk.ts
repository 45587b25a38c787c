/** What is durable on a device, and what the simulation knows about it: shared by all its tabs, and what a backup copies. */
import { type BaseRecord, MemoryStorage } from '@objectql/plugin-sync';
import type { ObjectName } from './plan.js';
import { Shadow } from './shadow.js';

export const OBJECT_NAMES: readonly [ObjectName, ...ObjectName[]] = ['task', 'note', 'project'];

/** One device's storage. */
export class Disk {
  storage = new MemoryStorage();
  shadow = new Shadow();
  /** Mutations the user was told are durable. */
  told = new Set<string>();
  /** Mutations about which the user has decided: what is behind them needs no other place any more. */
  decided = new Set<string>();
  /** Mutations that were set aside because they failed too often: others have passed them since. */
  setAside = new Set<string>();
  /** Every mutation that was ever in its log. */
  logged = new Set<string>();
  /** Ids that the application has used although they were another device's: what the server made of them is not ours. */
  reused = new Set<string>();
  /** True when another disk has, or had, the same log. */
  isCloned = false;

  /** All records as they are durable. */
  async records(): Promise<readonly BaseRecord[]> {
    return (await Promise.all(OBJECT_NAMES.map((name) => this.storage.listRecords(name)))).flat();
  }

  /** Loses everything. */
  clear(): void {
    this.storage = new MemoryStorage();
    this.shadow = new Shadow();
    this.told = new Set();
    this.decided = new Set();
    this.setAside = new Set();
    this.reused = new Set();
    this.isCloned = false;
    // What it had logged stays its own: late copies of it may still arrive, and the log that begins now is another.
  }

  /** Keeps what only this device has, and asks for the records again: as it is when the browser has lost its database. */
  async loseRecords(): Promise<void> {
    const { meta, entries, conflicts, deadLetters } = await this.storage.load();
    this.storage = new MemoryStorage();
    this.shadow.records.clear();
    if (meta === null) return;
    const asked = { ...meta, checkpoint: null, walk: null };
    await this.storage.commit({
      meta: asked,
      putEntries: entries,
      putConflicts: conflicts,
      putDeadLetters: deadLetters,
    });
    this.shadow.meta = asked;
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
