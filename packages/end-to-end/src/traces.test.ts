/** The worked traces of the protocol, over real HTTP and SQLite. */
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ClientStorage,
  httpTransport,
  MemoryStorage,
  SyncPlugin,
  type SyncPluginOptions,
} from '@objectql/plugin-sync';
import { FaultStorage, TestPlatform } from '@objectql/plugin-sync/testing';
import { type RecordResolver, storeResolver } from '@objectql/protocol-sync';
import { afterEach, describe, expect, it } from 'vitest';
import { SyncServer, type SyncServerOptions, temporaryFolder } from './sync-server.js';
import { WireClient } from './wire-client.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

async function startServer(options?: SyncServerOptions): Promise<SyncServer> {
  const server = await SyncServer.start(options);
  open.push(server);
  return server;
}

function startDevice(server: SyncServer, options: Partial<SyncPluginOptions> = {}): SyncPlugin {
  const device = new SyncPlugin({
    clientId: 'device',
    transport: httpTransport({ url: server.url }),
    platform: new TestPlatform({ now: Date.now() }),
    ...options,
  });
  open.push(device);
  return device;
}

/** A server clock that a test can move. */
function testClock() {
  let now = Date.parse('2026-03-01T12:00:00Z');
  const platform = { now: () => now, randomId: () => crypto.randomUUID(), setTimer: () => () => {} };
  return { platform, now: () => now, advance: (ms: number) => (now += ms) };
}

const applied = (mutationId: string, serverVersion: number, more: object = {}) => ({
  status: 'applied',
  mutationId,
  serverVersion,
  ...more,
});

describe('the worked traces', () => {
  it('1. applies a create and two updates made offline as versions 1, 2, 3', async () => {
    const { platform, now } = testClock();
    const server = await startServer({ platform });
    const a = new WireClient('a', { now });
    const results = await a.push(
      server,
      a.make({ operation: 'create', data: { title: 'x' } }),
      a.make({ operation: 'update', data: { status: 'new' } }),
      a.make({ operation: 'update', data: { status: 'done' } }),
    );
    expect(results).toEqual([applied('a-1', 1), applied('a-2', 2), applied('a-3', 3)]);
  });

  it('2. answers a push whose answer was lost again, at any time and on another server, and applies nothing twice', async () => {
    const { platform, advance, now } = testClock();
    const server = await startServer({ platform });
    const other = await startServer({ platform, file: server.file });
    const a = new WireClient('a', { now });
    const mutations = [
      a.make({ operation: 'create', data: { title: 'x' } }),
      a.make({ operation: 'update', data: { status: 'new' } }),
      a.make({ operation: 'update', data: { status: 'done' } }),
    ];
    await a.send(server, ...mutations);
    const again = await a.send(server, ...mutations);
    advance(MINUTE_MS);
    const later = await a.send(other, ...mutations);

    const expected = [
      applied('a-1', 1, { duplicate: true }),
      applied('a-2', 2, { duplicate: true }),
      applied('a-3', 3, { duplicate: true, record: { title: 'x', status: 'done' } }),
    ];
    expect([again.results, later.results]).toEqual([expected, expected]);
    const feed = await server.pull({});
    expect(feed.serverChanges).toMatchObject([{ recordId: 't1', serverVersion: 3 }]);
  });

  it('3. merges edits of different fields without a conflict, and shows the merged record', async () => {
    const server = await startServer({ strategy: 'manual' });
    const a = new WireClient('a');
    const b = new WireClient('b');
    await a.push(server, ...a.makeVersions(4));
    await b.pull(server);
    expect(await a.push(server, a.make({ operation: 'update', data: { status: 'done' }, baseVersion: 4 }))).toEqual([
      applied('a-5', 5),
    ]);
    expect(await b.push(server, b.make({ operation: 'update', data: { title: 'B' }, baseVersion: 4 }))).toEqual([
      applied('b-1', 6, { record: { title: 'B', status: 'done' } }),
    ]);
  });

  for (const first of ['a', 'b'] as const) {
    it(`4. lets the later edit win over a clock that runs an hour fast, ${first} arriving first`, async () => {
      const { platform, advance, now } = testClock();
      const server = await startServer({ platform, strategy: 'last-write-wins' });
      const a = new WireClient('a', { now });
      const b = new WireClient('b', { now, clockAheadMs: HOUR_MS });
      await a.push(server, a.make({ operation: 'create', data: { title: '0' } }));
      const byB = b.make({ operation: 'update', data: { title: 'B' }, baseVersion: 1 });
      advance(MINUTE_MS);
      const byA = a.make({ operation: 'update', data: { title: 'A' }, baseVersion: 1 });
      advance(MINUTE_MS);
      if (first === 'a') {
        await a.push(server, byA);
        await b.push(server, byB);
      } else {
        await b.push(server, byB);
        await a.push(server, byA);
      }
      const { serverChanges } = await server.pull({});
      expect(serverChanges).toMatchObject([{ data: { title: 'A' } }]);
    });
  }

  it('5. parks a conflict on one field and lets everything else through', async () => {
    const server = await startServer({ strategy: 'manual' });
    const a = new WireClient('a');
    const device = startDevice(server);
    const { records, conflicts } = device.getEngine('task');
    await a.push(
      server,
      a.make({ operation: 'create', data: { title: '0', status: 'new' } }),
      a.make({ operation: 'create', recordId: 't2', data: { title: 'other' } }),
    );
    await device.syncAll();
    await a.push(server, a.make({ operation: 'update', data: { title: 'A' }, baseVersion: 1 }));
    await records.update('t1', { title: 'mine' });
    await records.update('t1', { status: 'done' });
    await records.update('t2', { title: 'mine' });
    await device.syncAll();

    expect(conflicts.list()).toMatchObject([{ conflict: { recordId: 't1', conflictingFields: ['title'] } }]);
    expect(device.client.status).toMatchObject({ pending: 0, conflicts: 1, attention: true });
    expect((await records.get('t1'))?.data).toEqual({ title: 'A', status: 'done' });
    expect((await records.get('t2'))?.data).toEqual({ title: 'mine' });
  });

  it('6. meets a delete with a conflict for an update, and with success for a delete', async () => {
    const server = await startServer({ strategy: 'manual' });
    const a = new WireClient('a');
    const me = new WireClient('me');
    await a.push(server, ...a.makeVersions(5));
    await me.pull(server);
    expect(await a.push(server, a.make({ operation: 'delete', baseVersion: 5 }))).toEqual([applied('a-6', 6)]);
    expect(
      await me.push(server, me.make({ operation: 'update', data: { title: 'mine' }, baseVersion: 5 })),
    ).toMatchObject([
      { status: 'conflict', conflict: { kind: 'update-delete', serverRecord: null, serverVersion: 6 } },
    ]);
    expect(await me.push(server, me.make({ operation: 'delete', baseVersion: 5 }))).toEqual([applied('me-2', 6)]);
  });

  it('7. calls an update meant for an earlier incarnation a conflict, also of a field that is not there', async () => {
    const server = await startServer();
    const a = new WireClient('a');
    const c = new WireClient('c');
    const me = new WireClient('me');
    await a.push(server, ...a.makeVersions(5), a.make({ operation: 'delete' }));
    expect(await c.push(server, c.make({ operation: 'create', data: { title: 'C' } }))).toEqual([applied('c-1', 7)]);
    expect(
      await me.push(server, me.make({ operation: 'update', data: { note: 'mine' }, baseVersion: 5 })),
    ).toMatchObject([
      { status: 'conflict', conflict: { kind: 'stale-incarnation', serverVersion: 7, serverRecord: { title: 'C' } } },
    ]);
  });

  it('8. processes what is pending before it resets an expired checkpoint, and edits made meanwhile survive', async () => {
    const { platform, advance, now } = testClock();
    const server = await startServer({ platform, limits: { maxPageRecords: 2 } });
    const a = new WireClient('a', { now });
    await a.push(
      server,
      ...['t1', 't2', 't3', 't4'].map((recordId) =>
        a.make({ operation: 'create', recordId, data: { title: recordId } }),
      ),
    );
    const device = startDevice(server);
    const { records } = device.getEngine('task');
    await device.syncAll();

    await a.push(server, a.make({ operation: 'delete', recordId: 't2', baseVersion: 1 }));
    advance(31 * DAY_MS);
    await server.handler.prune();
    for (const index of [1, 2, 3, 4, 5]) records.create(`new-${index}`, { index });
    const listener = {
      onServerChanges: () => {
        device.client.listeners.remove(listener);
        records.create('meanwhile', { index: 6 });
      },
    };
    device.client.listeners.add(listener);
    await device.syncAll();
    await device.syncAll();

    const ids = (await records.list()).map(({ recordId }) => recordId).sort();
    const expected = ['meanwhile', 'new-1', 'new-2', 'new-3', 'new-4', 'new-5', 't1', 't3', 't4'];
    expect(ids).toEqual(expected);
    expect(device.client.status.pending).toBe(0);
    const fresh = startDevice(server, { clientId: 'fresh' });
    await fresh.syncAll();
    expect((await fresh.getEngine('task').records.list()).map(({ recordId }) => recordId).sort()).toEqual(expected);
  });

  it('9. keeps the pages it has stored when the third fails, and resumes there', async () => {
    const server = await startServer({ limits: { maxPageRecords: 2 } });
    const a = new WireClient('a');
    const ids = ['t1', 't2', 't3', 't4', 't5', 't6', 't7'];
    await a.push(
      server,
      ...ids.map((recordId) => a.make({ operation: 'create', recordId, data: { title: recordId } })),
    );
    let pages = 0;
    const storage = new FaultStorage(new MemoryStorage());
    storage.before('commit', ({ expectCheckpoint }) => {
      if (expectCheckpoint !== undefined && ++pages === 3) throw new Error('disk full');
    });
    const received: string[][] = [];
    const device = startDevice(server, {
      storage,
      listeners: [
        { onServerChanges: (changes) => void received.push(changes.map(({ recordId }) => String(recordId))) },
      ],
    });
    expect(await device.syncAll()).toBeNull();
    expect((await device.getEngine('task').records.list()).map(({ recordId }) => recordId).sort()).toEqual(
      ids.slice(0, 4),
    );
    await device.syncAll();
    expect(received).toEqual([['t1', 't2'], ['t3', 't4'], ['t5', 't6'], ['t5', 't6'], ['t7']]);
    expect((await device.getEngine('task').records.list()).map(({ recordId }) => recordId).sort()).toEqual(ids);
  });

  it('10. gives a mutation that always fails 10 tries while others settle, then lays it among the dead letters', async () => {
    let tries = 0;
    const resolver: RecordResolver = {
      ...storeResolver,
      applyMutation(mutation) {
        if (mutation.recordId !== 'poison') return;
        tries += 1;
        throw new Error('the database says no');
      },
    };
    const server = await startServer({ resolver });
    const platform = new TestPlatform({ now: Date.now() });
    const device = startDevice(server, { platform });
    const { records, deadLetters } = device.getEngine('task');
    const poison = records.create('poison', { title: 'p' });
    for (let index = 0; index < 10; index++) {
      const healthy = records.create(`healthy-${index}`, { index });
      platform.setClock(platform.now() + 2 * MINUTE_MS);
      await device.syncAll();
      expect(await device.getEngine('task').settled(healthy.id)).toMatchObject({ status: 'applied' });
    }
    expect(tries).toBe(10);
    expect(deadLetters.list()).toMatchObject([{ id: poison.id, code: 'INTERNAL' }]);
    expect(device.client.status).toMatchObject({ pending: 0, deadLetters: 1, state: 'idle' });
  });

  it('11. resets every client after the server was restored from a backup, and nothing diverges silently', async () => {
    const server = await startServer();
    const device = startDevice(server);
    const { records } = device.getEngine('task');
    records.create('before', { title: 'in the backup' });
    await device.syncAll();
    server.database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const backup = join(temporaryFolder(), 'backup.sqlite');
    copyFileSync(server.file, backup);
    records.create('after', { title: 'not in the backup' });
    await records.update('before', { title: 'changed after the backup' });
    await device.syncAll();

    const restored = await startServer({ file: backup });
    await restored.handler.store.open();
    await restored.handler.store.changeEpoch();
    const back = startDevice(restored, { clientId: 'other' });
    await back.syncAll();
    const resets: unknown[] = [];
    const transport = httpTransport({ url: restored.url });
    const storage = new MemoryStorage();
    const state = await stateOf(server, storage);
    const returning = startDevice(restored, {
      storage,
      transport: {
        async push(request, options) {
          const answer = await transport.push(request, options);
          if (answer.reset) resets.push(answer.reset);
          return answer;
        },
      },
    });
    const pending = returning.getEngine('task').records.create('pending', { title: 'made offline' });
    await returning.syncAll();
    await back.syncAll();

    expect(state).toBe(2);
    expect(resets).toEqual(['epoch']);
    expect(await returning.getEngine('task').settled(pending.id)).toMatchObject({ status: 'applied' });
    const view = async (plugin: SyncPlugin) =>
      (await plugin.getEngine('task').records.list()).map(({ recordId, data, version }) => ({
        recordId,
        data,
        version,
      }));
    const expected = [
      { recordId: 'before', data: { title: 'in the backup' }, version: 1 },
      { recordId: 'pending', data: { title: 'made offline' }, version: 1 },
    ];
    expect(await view(returning)).toEqual(expected);
    expect(await view(back)).toEqual(expected);
  });

  it('12. shows a reader both writes of two servers on one database, whichever commits last', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isWaiting = () => {};
    const waiting = new Promise<void>((resolve) => {
      isWaiting = resolve;
    });
    const slow: RecordResolver = {
      ...storeResolver,
      async applyMutation() {
        isWaiting();
        await gate;
      },
    };
    const first = await startServer({ resolver: slow });
    await first.pull({});
    const second = await startServer({ file: first.file });
    await second.pull({});
    const a = new WireClient('a');
    const b = new WireClient('b');
    const reader = new WireClient('reader');
    const slowPush = a.push(first, a.make({ operation: 'create', recordId: 'slow', data: { n: 1 } }));
    await waiting;
    const before = await reader.pull(second);
    release();
    await slowPush;
    await b.push(second, b.make({ operation: 'create', recordId: 'fast', data: { n: 2 } }));
    const after = await reader.pull(second);
    expect(before.serverChanges).toEqual([]);
    expect(after.serverChanges.map(({ recordId }) => recordId)).toEqual(['slow', 'fast']);
  });
});

/** Brings a storage to what a device has that was in sync with the server; answers how many records it holds. */
async function stateOf(server: SyncServer, storage: ClientStorage): Promise<number> {
  const kept: ClientStorage = {
    load: () => storage.load(),
    commit: (batch) => storage.commit(batch),
    getRecords: (refs) => storage.getRecords(refs),
    listRecords: (objectName) => storage.listRecords(objectName),
    close: async () => {},
  };
  const device = new SyncPlugin({ clientId: 'device', transport: httpTransport({ url: server.url }), storage: kept });
  await device.syncAll();
  const count = (await device.getEngine('task').records.list()).length;
  await device.close();
  return count;
}
