/** One process of an app that keeps its records in a local data engine: the engine, sync on it, and what the app does. */
import type { SyncPlugin } from '@objectql/plugin-sync';
import { DataEngineSync } from '@objectql/plugin-sync/objectstack';
import { type KernelLogger, SmallKernel } from '@objectql/sync-types/kernel';
import type { Gate } from '../gate.js';
import type { Mutant } from '../mutants/mutant.js';
import type { VirtualTime } from '../virtual-time.js';
import { ENGINE_OBJECTS } from './engine-objects.js';
import type { Committer, EnginePlace } from './engine-place.js';
import { type EngineFaults, MemoryEngine } from './memory-engine.js';

export interface LocalAppParts {
  readonly place: EnginePlace;
  readonly plugin: SyncPlugin;
  readonly gate: Gate;
  readonly faults: EngineFaults;
  readonly time: VirtualTime;
  readonly committer: Committer;
  readonly mutant: Mutant | undefined;
  /** Whether a hook of the app writes the project of a note along with the note. */
  readonly isHooked: boolean;
}

const AS_SYSTEM = { context: { isSystem: true } };
const SILENT: KernelLogger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

export class LocalApp {
  readonly engine: MemoryEngine;
  /** True once sync has ended while the app goes on. */
  hasEnded = false;
  /** True while a hook of the app fails after its next write. */
  isHookFailing = false;
  readonly #sync = new DataEngineSync();
  readonly #parts: LocalAppParts;

  constructor(parts: LocalAppParts) {
    this.#parts = parts;
    const { place, plugin, gate, faults, committer, mutant, isHooked } = parts;
    this.engine = new MemoryEngine({
      database: place.database,
      gate,
      faults,
      objects: ENGINE_OBJECTS,
      onCommit: (changes) => place.committed(changes, committer),
      found:
        mutant?.found &&
        ((name, rows, query) =>
          mutant.found?.(name, rows, { query, now: plugin.platform.now(), client: plugin.client.log.meta }) ?? rows),
      isInserted: mutant?.isInserted,
      isCommittedAnyway: mutant?.isCommittedAnyway,
      isBesideTransactions: mutant?.isBesideTransactions,
    });
    if (isHooked) this.engine.registerHook((operation) => this.#hook(operation));
    this.engine.registerHook(async () => {
      if (!this.isHookFailing || !this.engine.isOfApp) return;
      this.isHookFailing = false;
      throw new Error('The hook has failed.');
    });
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

  /** Ends sync, as a plugin may end before the app, which goes on writing. */
  async end(): Promise<void> {
    this.hasEnded = true;
    await this.#sync.destroy();
  }

  /** A project takes over the title of the note with its name. */
  async #hook({ object, data }: Parameters<Parameters<MemoryEngine['registerHook']>[0]>[0]): Promise<void> {
    if (object !== 'note') return;
    for (const { id, title } of [data].flat().map((row): Readonly<Record<string, unknown>> => Object(row))) {
      if (title === undefined || id === undefined) continue;
      const project = await this.engine.findOne('project', { where: { id } }, AS_SYSTEM);
      if (project && this.#parts.plugin.client.configs.of('project').direction !== 'pull-only')
        await this.engine.update('project', { id, body: `hooked ${String(title).slice(-4)}` }, AS_SYSTEM);
    }
  }
}
