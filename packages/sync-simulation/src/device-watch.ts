/** Judges a device by what it sends, what it stores, what it tells its app, and what has become of what it has told. */
import type { StorageBatch } from '@objectql/plugin-sync';
import type { SyncPushRequest } from '@objectql/sync-types';
import { type Disk, OBJECT_NAMES } from './disk.js';
import type { DeviceEngine } from './engine/device-engine.js';
import { findMissedChange, readPlace } from './invariants/checkpoint.js';
import { findLostMutation } from './invariants/durability.js';
import { findOvertaken } from './invariants/overtaken.js';
import { findRenumbered } from './invariants/renumbered.js';
import { findStepBack } from './invariants/step-back.js';
import type { Permissions } from './permissions.js';
import type { WorldPlan } from './plan.js';
import type { ServerTruth } from './server-truth.js';
import type { Verdict } from './violation.js';
import type { WireWatch } from './wire-watch.js';

export interface DeviceWatchParts {
  readonly name: string;
  /** To whom the device belongs. */
  readonly owner: string;
  readonly disk: Disk;
  readonly world: WorldPlan;
  readonly verdict: Verdict;
  readonly wire: WireWatch;
  readonly permissions: Permissions;
  readonly truth: () => ServerTruth;
  readonly engine: () => DeviceEngine | undefined;
  /** Whether the device receives other devices' changes of an object. */
  readonly keeps: (objectName: string) => boolean;
}

export class DeviceWatch {
  readonly #parts: DeviceWatchParts;
  /** Conflicts and dropped fields of which the application must have heard by now, by mutation id. */
  readonly #owed = new Set<string>();
  readonly #heard = new Set<string>();

  constructor(parts: DeviceWatchParts) {
    this.#parts = parts;
  }

  /** The app starts: it owes nothing to the process before. */
  begin(): void {
    this.#owed.clear();
  }

  /** A crash would lose mutations sent before they were durable, and the device would meet its own change. */
  sent({ mutations }: SyncPushRequest): void {
    const { disk, verdict, name } = this.#parts;
    const early = mutations?.find(({ id }) => !disk.logged.has(id));
    if (early) verdict.report('I7', `${name} sent ${early.id} before it was durable.`);
  }

  /** Judges and notes a batch that is durable now. */
  stored(batch: StorageBatch): void {
    const { name, disk, verdict, wire, truth, engine } = this.#parts;
    const back = findStepBack(batch, disk.shadow);
    if (back) verdict.report('I5', `${name}: ${back}`);
    const renumbered = findRenumbered(batch, disk.shadow);
    // An id that the application uses twice belongs to two mutations.
    if (renumbered && !disk.reused.has(renumbered))
      verdict.report('I2', `${name} gave ${renumbered} another sequence while it waits.`);
    disk.committed(batch);
    engine()?.committed(batch);
    for (const { mutation } of batch.putEntries ?? []) disk.logged.add(mutation.id);
    const lost = findLostMutation(batch, {
      wasApplied: (id) => this.#wasApplied(id),
      wasDecided: (id) => wire.metConflict(id) && !this.#isForTheUser(id),
    });
    if (lost) verdict.report('I1', `${name} dropped ${lost}, which the server did not take.`);
    if (batch.removeEntries?.length || batch.removeConflicts?.length || batch.removeDeadLetters?.length)
      this.checkTold();
    const overtaken = findOvertaken(batch, disk, truth());
    if (overtaken) verdict.report('I3', `${name}: ${overtaken} was refused as overtaken.`);
    for (const { code, id } of batch.putDeadLetters ?? [])
      if (code === 'INTERNAL' || code === 'BUSY') disk.setAside.add(id);
    if (batch.expectCheckpoint !== undefined) this.#checkPlace();
  }

  /** The app knows that the batch is durable: it must now tell of mutations removed as a conflict or with a loss. */
  known(batch: StorageBatch): void {
    const { wire, truth } = this.#parts;
    const dead = new Set(batch.putDeadLetters?.map(({ id }) => id));
    for (const id of batch.removeEntries ?? []) {
      // A mutation that was applied after all, on a restored server, is no longer a conflict.
      const isLost = wire.metConflict(id) && !this.#wasApplied(id);
      if ((isLost || truth().dropped.has(id)) && !dead.has(id)) this.#owed.add(id);
    }
  }

  /** The app was told that these met a conflict, or lost fields. */
  hear(ids: readonly string[]): void {
    for (const id of ids) this.#heard.add(id);
  }

  /** By now the app must have heard of everything that it has to know. */
  checkHeard(): void {
    const { verdict, name } = this.#parts;
    for (const id of this.#owed) {
      if (!this.#heard.has(id)) verdict.report('I8', `${name} was not told of the conflict or loss of ${id}.`);
    }
    this.#owed.clear();
  }

  /** What the user was told is durable must be somewhere. */
  checkTold(): void {
    const { name, disk, verdict, wire, engine } = this.#parts;
    for (const id of disk.told) {
      if (disk.shadow.holds(id) || engine()?.isWaiting(id)) continue;
      if (this.#wasApplied(id) || wire.metConflict(id)) disk.told.delete(id);
      else verdict.report('I1', `${name} has lost ${id}, which was durable.`);
    }
  }

  /** The device's place in the feed must not pass what it does not have. */
  #checkPlace(): void {
    const { name, owner, disk, verdict, wire, permissions, truth, keeps } = this.#parts;
    const scope = readPlace(disk.shadow.meta?.checkpoint)?.scope ?? '';
    if (wire.grantsOf(`${owner} ${scope}`) !== permissions.scopeOf(owner)) return;
    const missed = findMissedChange(
      disk.shadow,
      truth(),
      ({ objectName, data }) => keeps(objectName) && permissions.mayRead(owner, objectName, data),
    );
    if (missed) verdict.report('I6', `${name}: ${missed}`);
  }

  /** True when the server applied this device's mutation of that id, whatever happened to the server since. */
  #wasApplied(id: string): boolean {
    const { truth, disk } = this.#parts;
    return truth().everApplied.has(id) && !disk.reused.has(id);
  }

  /** True when only the user may decide a conflict of this mutation. */
  #isForTheUser(id: string): boolean {
    const { world, wire } = this.#parts;
    const object = OBJECT_NAMES.find((name) => name === wire.said(id)?.objectName);
    if (!object || world.isMerging) return false;
    const { strategy, conflictFields } = world.objects[object];
    return strategy === 'manual' && conflictFields === null;
  }
}
