/** One process of an app that keeps its records in a local data engine: the engine, sync on it, and what the app does. */
import type { SyncPlugin } from '@objectql/plugin-sync';
import { DataEngineSync } from '@objectql/plugin-sync/objectstack';
import { type EngineRow, type KernelLogger, SmallKernel } from '@objectql/sync-types/kernel';
import type { Gate } from '../gate.js';
import type { Mutant } from '../mutants/mutant.js';
import type { EnginePlan } from '../plan.js';
import type { VirtualTime } from '../virtual-time.js';
import { engineObjects } from './engine-objects.js';
import type { Committer, EnginePlace } from './engine-place.js';
import { refusingHook } from './engine-refusals.js';
import { type EngineFaults, MemoryEngine } from './memory-engine.js';

export interface LocalAppParts {
  readonly place: EnginePlace;
  readonly plugin: SyncPlugin;
  readonly gate: Gate;
  readonly faults: EngineFaults;
  readonly time: VirtualTime;
  readonly committer: Committer;
  readonly mutant: Mutant | undefined;
  readonly plan: EnginePlan;
}

/** 10 s: longer than a change may take with live updates, and shorter than what must settle without them. */
const LATE_MS = 10_000;
const AS_SYSTEM = { context: { isSystem: true } };
const SILENT: KernelLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export class LocalApp {
  readonly engine: MemoryEngine;
  /** True once sync has ended while the app goes on. */
  hasEnded = false;
  /** True while a hook of the app fails after its next write. */
  isHookFailing = false;
  /** What sync has reported. */
  readonly reports = new Set<string>();
  readonly #sync = new DataEngineSync();
  readonly #parts: LocalAppParts;

  constructor(parts: LocalAppParts) {
    this.#parts = parts;
    const { place, plugin, gate, faults, committer, mutant, plan } = parts;
    this.engine = new MemoryEngine({
      database: place.database,
      gate,
      faults,
      objects: engineObjects(plan),
      onCommit: (changes) => place.committed(changes, committer),
      found:
        mutant?.found &&
        ((name, rows, query) =>
          mutant.found?.(name, rows, { query, now: plugin.platform.now(), client: plugin.client.log.meta }) ?? rows),
      isInserted: mutant?.isInserted,
      isCommittedAnyway: mutant?.isCommittedAnyway,
      isBesideTransactions: mutant?.isBesideTransactions,
      cascadingUnseen: mutant?.cascadingUnseen,
      isDriverRefusing: mutant?.isDriverRefusing,
    });
    if (!mutant?.isRefusingSilently)
      plugin.client.listeners.add({ onSyncError: ({ message }) => void this.reports.add(message) });
    if (plan.isHooked) this.engine.registerHook('after a write', (objectName, row) => this.#hook(objectName, row));
    if (plan.refuses === 'by hook') {
      this.engine.registerHook('before a delete', refusingHook);
      this.engine.registerHook('after a write', refusingHook);
    }
    for (const moment of ['after a write', 'after a delete'] as const)
      this.engine.registerHook(moment, () => this.#failingHook());
  }

  /** Rejects if the process cannot go on. */
  async start(): Promise<void> {
    const { plugin, mutant } = this.#parts;
    const { engine } = this;
    const kernel = new SmallKernel(SILENT);
    const name = 'com.objectstack.engine.objectql';
    await kernel.use({ name, init: (context) => context.registerService('objectql', engine) });
    await kernel.use(plugin);
    await kernel.use(this.#sync);
    if (mutant?.isSweptEarly) this.#tellEarly();
    if (mutant?.isEngineToldLate) this.#tellLate();
    await kernel.bootstrap();
  }

  /** Tells listeners that a sync has ended, before one has begun. */
  #tellEarly(): void {
    const { plugin, time } = this.#parts;
    const { listeners } = plugin.client;
    const add = listeners.add.bind(listeners);
    listeners.add = (listener) => {
      add(listener);
      const tell = async () =>
        listener.onSyncComplete?.({ protocol: 2, results: [], serverChanges: [], checkpoint: '' });
      time.after(0, () => void tell().catch(() => {}));
    };
  }

  /** Tells those who watch records some time later what has changed. */
  #tellLate(): void {
    const { plugin, time } = this.#parts;
    const { records } = plugin.client;
    const watchAll = records.watchAll.bind(records);
    records.watchAll = (objectName, listener) =>
      watchAll(objectName, (seen) => void time.after(LATE_MS, () => void listener(seen)));
  }

  /** Ends sync, as a plugin may end before the app, which goes on writing. */
  async end(): Promise<void> {
    this.hasEnded = true;
    await this.#sync.destroy();
  }

  /** A project takes over the title of the note with its name. */
  async #hook(objectName: string, { id, title }: EngineRow): Promise<void> {
    if (objectName !== 'note' || title === undefined) return;
    const project = await this.engine.findOne('project', { where: { id } }, AS_SYSTEM);
    if (project && this.#parts.plugin.client.configs.of('project').direction !== 'pull-only')
      await this.engine.update('project', { id, body: `hooked ${String(title).slice(-4)}` }, AS_SYSTEM);
  }

  async #failingHook(): Promise<void> {
    if (!this.isHookFailing || !this.engine.isOfApp) return;
    this.isHookFailing = false;
    throw new Error('The hook has failed.');
  }
}
