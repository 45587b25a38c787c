/** Random histories of three devices, a server and a bad network: whatever happens, all end up the same and nothing is lost. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { type Device, device } from '../fixtures/device.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';
import { type Connection, makeHandler, realServer } from '../fixtures/real-server.js';

type Step =
  | {
      readonly do: 'create' | 'update' | 'delete';
      readonly device: number;
      readonly record: number;
      readonly field: number;
    }
  | { readonly do: 'sync'; readonly device: number; readonly fate: Connection['fates'][number] }
  | { readonly do: 'fail storage' | 'restart'; readonly device: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'change on server'; readonly record: number }
  | { readonly do: 'prune' | 'change epoch' | 'lose the server' };

const deviceNumber = fc.nat(2);
const record = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('create' as const, 'update' as const, 'update' as const, 'delete' as const),
      device: deviceNumber,
      record,
      field: fc.nat(2),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('sync' as const),
      device: deviceNumber,
      fate: fc.constantFrom('arrives' as const, 'arrives' as const, 'answer lost' as const, 'request lost' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('fail storage' as const, 'restart' as const), device: deviceNumber }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 100_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change on server' as const), record }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom('prune' as const, 'change epoch' as const, 'lose the server' as const),
    }),
  },
);

const DAY_MS = 24 * 60 * 60 * 1000;

/** A world that runs steps; every value written is unique, so that a lost one is missed. */
class World {
  readonly platform = new TestPlatform();
  readonly server;
  readonly #options;
  readonly connections: Connection[] = [];
  readonly devices: Device[] = [];
  readonly storages: FaultStorage[] = [];
  /** Mutations a user was told are recorded, and that must be found again. */
  recorded: ReadonlySet<string> = new Set();
  #writes = 0;

  constructor(options: Parameters<typeof realServer>[1]) {
    this.#options = { ...options, limits: { maxPageRecords: 3 } };
    this.server = realServer(this.platform, this.#options);
    for (const index of [0, 1, 2]) {
      this.storages.push(new FaultStorage(new LastingStorage()));
      this.connections.push(this.server.connect());
      this.devices.push(this.#start(index, 1));
    }
  }

  async run(step: Step): Promise<void> {
    switch (step.do) {
      case 'create':
      case 'update':
      case 'delete':
        return this.#change(step);
      case 'sync':
        this.connections[step.device]?.fates.push(step.fate);
        await this.devices[step.device]?.tasks.sync();
        return;
      case 'fail storage': {
        const storage = this.storages[step.device];
        storage?.before('commit', () => {
          storage.heal();
          throw new Error('full');
        });
        return;
      }
      case 'restart': {
        const before = this.devices[step.device];
        await before?.tasks.flush().catch(() => before.tasks.flush());
        before?.tasks.pause();
        await this.platform.advance(0);
        this.devices[step.device] = this.#start(step.device, ++this.#writes);
        return;
      }
      case 'wait':
        return this.platform.advance(step.ms);
      case 'change on server': {
        const data = { server: ++this.#writes };
        const recordId = `r${step.record}`;
        await this.server.handler.recordChange({ objectName: 'task', recordId, operation: 'update', data });
        return;
      }
      case 'prune':
        await this.platform.advance(31 * DAY_MS);
        await this.server.handler.prune();
        // The ledger has forgotten what was settled before; what is pending stays to be accounted for.
        this.recorded = new Set(this.#pendingIds());
        return;
      case 'lose the server':
        // Another one in its place, empty: versions begin at 1 again, and what was settled is nowhere.
        this.server.handler = makeHandler(this.platform, this.#options);
        this.recorded = new Set(this.#pendingIds());
        return;
      case 'change epoch':
        await this.server.handler.store.open();
        await this.server.handler.store.changeEpoch();
        return;
    }
  }

  /** Syncs everybody until nothing moves any more. */
  async settle(): Promise<void> {
    for (const connection of this.connections) connection.fates.length = 0;
    for (const storage of this.storages) storage.heal();
    for (let round = 0; round < 4; round++) {
      for (const { tasks } of this.devices) await tasks.sync();
      await this.platform.advance(120_000);
    }
  }

  async serverRecords(): Promise<Readonly<Record<string, unknown>>> {
    const { records } = await this.server.handler.store.page({ after: 0, limit: 1000 });
    const live = records.filter(({ data }) => data !== null);
    return Object.fromEntries(
      live.map(({ recordId, version, data }) => [recordId, { version, data: JSON.parse(data ?? '') }]).sort(),
    );
  }

  async #change({ do: operation, device: index, record, field }: Extract<Step, { field: number }>): Promise<void> {
    const target = this.devices[index];
    if (!target) return;
    const { records } = target.tasks;
    const recordId = `r${record}`;
    const exists = (await records.get(recordId)) !== undefined;
    const value = ++this.#writes;
    if (operation === 'create') {
      if (!exists) this.#record(records.create(recordId, { [`f${field}`]: value, born: value }).id);
    } else if (exists) {
      const made =
        operation === 'update' ? records.update(recordId, { [`f${field}`]: value }) : records.delete(recordId);
      this.#record((await made).id);
    }
  }

  /** Mutations that are nowhere: not in the ledger, not pending, not with the user. */
  async lost(): Promise<readonly string[]> {
    const { store } = this.server.handler;
    await store.open();
    const mutationIds = [...this.recorded];
    const { ledger } = await store.transaction((transaction) => transaction.load({ records: [], mutationIds }));
    const found = new Set([...ledger.map(({ mutationId }) => mutationId), ...this.#pendingIds()]);
    for (const { tasks } of this.devices) {
      for (const { id } of [...tasks.conflicts.list(), ...tasks.deadLetters.list()]) found.add(id);
    }
    return mutationIds.filter((id) => !found.has(id));
  }

  #pendingIds(): readonly string[] {
    return this.devices.flatMap(({ plugin }) => Array.from(plugin.client.log.pending, ({ mutation }) => mutation.id));
  }

  #record(id: string): void {
    this.recorded = new Set([...this.recorded, id]);
  }

  #start(index: number, seed: number): Device {
    const connection = this.connections[index];
    const storage = this.storages[index];
    if (!connection || !storage) throw new Error('Each device has a connection and a storage.');
    const platform = new SharedClock(this.platform, index * 1000 + seed);
    return device({ transport: connection.transport, storage, clientId: `device-${index}`, platform });
  }
}

/** Ids and jitter of its own on the one clock of the world. */
class SharedClock extends TestPlatform {
  readonly #clock: TestPlatform;

  constructor(clock: TestPlatform, seed: number) {
    super({ seed });
    this.#clock = clock;
  }

  override now(): number {
    return this.#clock.now();
  }

  override setTimer(work: () => void, delayMs: number): () => void {
    return this.#clock.setTimer(work, delayMs);
  }
}

for (const strategy of ['last-write-wins', 'crdt', undefined] as const) {
  test(`I1 I4 I5 devices and server agree in the end, and nothing is lost, with ${strategy ?? 'the clients’ own strategy'}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new World(strategy ? { strategy } : {});
        for (const next of steps) await world.run(next);
        await world.settle();
        const expected = await world.serverRecords();
        for (const { tasks } of world.devices) {
          const records = await tasks.records.list();
          const seen = Object.fromEntries(
            records.map(({ recordId, version, data }) => [recordId, { version, data }]).sort(),
          );
          expect(seen).toEqual(expected);
          expect(tasks.status.pending).toBe(0);
        }
        expect(await world.lost()).toEqual([]);
      }),
      { numRuns: 60, interruptAfterTimeLimit: 20_000 },
    );
  });
}
