/** One process of an app with a local data engine, on a database and a storage that outlive it. */
import { type ClientStorage, SyncPlugin, type SyncTransport } from '@objectql/plugin-sync';
import { createKernel } from '@objectql/plugin-sync/kernel';
import { DataEngineSync } from '@objectql/plugin-sync/objectstack';
import type { TestPlatform } from '@objectql/plugin-sync/testing';
import { type JsonObject, recordKey } from '@objectql/sync-types';
import { AS_SYSTEM, type KernelPlugin, UnderWay } from '@objectql/sync-types/kernel';
import type { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import { type ObjectQL, ObjectQLPlugin } from '@objectstack/objectql';
import { DriverPlugin } from '@objectstack/runtime';
import { letGoOf } from '../../../protocol-sync/src/objectstack/ended-engine.fixture.js';
import { NAMES, OBJECTS } from '../../../protocol-sync/src/objectstack/engine-histories.contract.js';
import { fieldsOf, LOCAL } from './history-server.fixture.js';
import { appOf } from './local-device.fixture.js';
import type { TextHooks } from './local-histories.contract.js';
import { ProcessLife } from './process-life.fixture.js';

export interface LocalProcessParts {
  readonly database: SqliteWasmDriver;
  readonly storage: ClientStorage;
  readonly push: SyncTransport['push'];
  readonly hooks: TextHooks;
  readonly platform: TestPlatform;
}

export class LocalProcess {
  readonly life = new ProcessLife();
  readonly sync: SyncPlugin;
  readonly local = new DataEngineSync();
  readonly platform: TestPlatform;
  /** What was begun in the app's transactions, and beside them, and is not awaited. */
  readonly loose = new UnderWay();
  readonly beside = new UnderWay();
  readonly #kernel: ReturnType<typeof createKernel>;
  readonly #parts: LocalProcessParts;

  constructor(parts: LocalProcessParts) {
    const { database, storage, push, platform } = parts;
    this.#parts = parts;
    this.platform = platform;
    this.sync = new SyncPlugin({
      clientId: LOCAL,
      transport: { push: (request) => this.life.call('network', () => push(throughJson(request)).then(throughJson)) },
      storage: this.life.storage(storage),
      platform,
    });
    const data = [new DriverPlugin(this.life.driver(database)), new ObjectQLPlugin()];
    this.#kernel = createKernel({
      // Casts: ObjectStack's plugins have more of the same contract than is used here.
      plugins: [
        ...(data as readonly unknown[] as readonly KernelPlugin[]),
        appOf('app', OBJECTS),
        this.sync as KernelPlugin,
        this.local,
      ],
      config: { gracefulShutdown: false, logger: { level: 'silent' } },
    });
  }

  get engine(): ObjectQL {
    return this.#kernel.getService<ObjectQL>('objectql');
  }

  async start(): Promise<this> {
    await this.#kernel.start();
    this.#parts.hooks.register(this.engine, (work) => void this.loose.add(work).catch(() => {}));
    return this;
  }

  /** Ends the process, as far as it lives. */
  async close(): Promise<void> {
    await Promise.race([this.#kernel.shutdown().catch(() => {}), this.life.over]);
    await this.die();
  }

  /** Ends the process where it stands. */
  async die(): Promise<void> {
    this.life.end();
    await this.life.takeBack();
    letGoOf(this.engine);
  }

  /** Waits until nothing is left to do; throws if that does not come. */
  async rest(): Promise<void> {
    for (let round = 0, rests = 0; rests < 2; round += 1) {
      if (round === 30) throw new Error(`It does not come to rest: ${JSON.stringify(this.sync.client.status)}`);
      await this.beside.ended();
      await this.loose.ended();
      await this.platform.advance(600_000);
      await this.sync.syncAll();
      await this.local.settled();
      const { pending, state, isStorageFailing } = this.sync.client.status;
      const notes = await this.engine.find('objectstack_sync_outbox', {}, { context: AS_SYSTEM });
      const isAtRest = notes.length + pending === 0 && state === 'idle' && !isStorageFailing;
      rests = isAtRest ? rests + 1 : 0;
    }
  }

  /** The engine's records by their keys, and the ids of those that sync does not know. */
  async records() {
    const notes = await this.engine.find('objectstack_sync_known', {}, { context: AS_SYSTEM });
    const known = new Set(
      notes.map((note) => recordKey({ objectName: String(note.object_name), recordId: String(note.record_id) })),
    );
    const records: Record<string, JsonObject> = {};
    const unknown: string[] = [];
    for (const objectName of NAMES) {
      for (const row of await this.engine.find(objectName, {}, { context: AS_SYSTEM })) {
        const key = recordKey({ objectName, recordId: String(row.id) });
        if (known.has(key)) records[key] = fieldsOf(row);
        else unknown.push(String(row.id));
      }
    }
    return { records, unknown };
  }
}

/** As on a wire. */
function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
