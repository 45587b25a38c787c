/** A client with a failing storage: whichever operation fails, done or not, nothing is lost or doubled. */
import type { SyncPushRequest, SyncPushResponse, SyncServerChange } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import { TestPlatform } from '../../platform/test-platform.js';
import { SyncEngine } from '../../sync-engine.js';
import { FaultStorage, type StorageFault } from '../../testing/fault-storage.js';
import type { StorageFixture, StoragePlace } from './storage-fixture.js';

/** Declares the law for one implementation, beside `storageContract`; needs vitest. */
export function storageFaultContract(name: string, fixture: StorageFixture): void {
  it(`I1 I2 I6 a client on ${name} ends as if nothing had failed, whichever operation fails, before or after it is done`, async () => {
    const rehearsal = await live(fixture, []);
    expect(rehearsal.end).toEqual(EXPECTED);
    const kinds = ['load', 'commit', 'getRecords', 'listRecords', ...(fixture.keeps === 'nothing' ? [] : ['close'])];
    expect(new Set(rehearsal.operations)).toEqual(new Set(kinds));
    for (let nth = 1; nth <= rehearsal.operations.length; nth++) {
      for (const when of ['before', 'after'] as const) {
        const { end } = await live(fixture, [{ nth, when }]);
        expect({ nth, when, end }).toEqual({ nth, when, end: EXPECTED });
      }
    }
  });
}

/** Where every life must end, on the device and on the server. */
const EXPECTED = {
  status: { pending: 0, conflicts: 0, deadLetters: 0 },
  applied: [
    ['mine', 'create'],
    ['mine', 'update'],
    ['gone', 'create'],
    ['gone', 'delete'],
  ],
  view: [
    ['mine', { title: 'Mine', done: true }],
    ['theirs', { title: 'Theirs' }],
  ],
};

/** A user's day on one storage: writes, syncs, applies what others wrote, and opens the app again. */
async function live(fixture: StorageFixture, plan: readonly StorageFault[]) {
  const place = await fixture.newPlace();
  const server = new OnceServer();
  const platform = new TestPlatform();
  const storage = new FaultStorage(place.open(), plan);
  const device = openDevice({ storage, server, platform });
  try {
    const mine = device.records.of('task');
    mine.create('mine', { title: 'Mine' });
    await durable(device);
    await untilSettled(device, platform);
    await again(async () => mine.update('mine', { done: true }));
    mine.create('gone', { title: 'Gone' });
    await durable(device);
    await again(async () => mine.delete('gone'));
    server.write({ recordId: 'theirs', data: { title: 'Theirs' } });
    await durable(device);
    await untilSettled(device, platform);
    await again(() => mine.list());
    const end = await endOf(fixture, { device, storage, place, server });
    return { end, operations: [...storage.operations] };
  } finally {
    await storage.close().catch(() => storage.close());
    await place.remove();
  }
}

interface Life {
  readonly device: SyncEngine;
  readonly storage: FaultStorage;
  readonly place: StoragePlace;
  readonly server: OnceServer;
}

/** What the next process finds; if nothing is kept, what this one shows. */
async function endOf(fixture: StorageFixture, { device, storage, place, server }: Life) {
  if (fixture.keeps === 'nothing') return show(device, server);
  // A client closes once; a storage that could not be closed with it may be closed again.
  await device.close().catch(() => storage.close());
  const next = openDevice({ storage: new FaultStorage(place.open()), server, platform: new TestPlatform({ seed: 2 }) });
  await next.sync();
  const end = await show(next, server);
  await next.close();
  return end;
}

async function show(device: SyncEngine, server: OnceServer) {
  const records = await again(() => device.records.of('task').list());
  const { pending, conflicts, deadLetters } = device.status;
  return {
    status: { pending, conflicts, deadLetters },
    applied: server.applied,
    view: records.map(({ recordId, data }) => [recordId, data]).sort(),
  };
}

function openDevice(parts: {
  readonly storage: FaultStorage;
  readonly server: OnceServer;
  readonly platform: TestPlatform;
}): SyncEngine {
  const { storage, server: transport, platform } = parts;
  return new SyncEngine({ clientId: 'device', transport, storage, platform, config: { enabled: true } });
}

/** A user who was told of a failure tries once more. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  return work().catch(() => work());
}

function durable(device: SyncEngine): Promise<void> {
  return again(() => device.flush());
}

/** Syncs until nothing is pending and everything from the server is here; waits out its backoff. */
async function untilSettled(device: SyncEngine, platform: TestPlatform): Promise<void> {
  for (let round = 0; round < 5; round++) {
    const answer = await device.sync();
    if (answer && device.status.pending === 0) return;
    await platform.advance(61_000);
  }
}

/** A server that applies each mutation once, even if repeated, and tells what others wrote. */
class OnceServer {
  readonly applied: (readonly [recordId: unknown, operation: string])[] = [];
  readonly #resultById = new Map<string, SyncPushResponse['results'][number]>();
  readonly #versions = new Map<unknown, number>();
  readonly #changes: SyncServerChange[] = [];

  /** A write of another device. */
  write({ recordId, data }: { readonly recordId: string; readonly data: NonNullable<SyncServerChange['data']> }): void {
    const timestamp = '2026-01-01T00:00:00.000Z';
    this.#changes.push({ objectName: 'task', recordId, operation: 'create', data, serverVersion: 1, timestamp });
  }

  async push({ mutations, lastCheckpoint }: SyncPushRequest): Promise<SyncPushResponse> {
    const results = mutations.map(({ id: mutationId, recordId, operation }) => {
      const known = this.#resultById.get(mutationId);
      if (known) return known;
      const serverVersion = (this.#versions.get(recordId) ?? 0) + 1;
      this.#versions.set(recordId, serverVersion);
      this.applied.push([recordId, operation]);
      const result = { mutationId, status: 'applied' as const, serverVersion };
      this.#resultById.set(mutationId, result);
      return result;
    });
    const seen = Number(lastCheckpoint ?? 0);
    const serverChanges = this.#changes.slice(seen);
    return { protocol: 2, results, serverChanges, checkpoint: String(this.#changes.length), hasMore: false };
  }
}
