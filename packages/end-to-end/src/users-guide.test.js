/**
 * Every example of the published users' guide, word for word. Changed: where `createKernel` is imported from, and, as in
 * any app, `db`, `app`, `token` and the server that `fetch` reaches are given.
 */

import { MutationLogger, SyncEngine, SyncPlugin } from '@objectql/plugin-sync';
import { createKernel } from '@objectql/plugin-sync/kernel';
import { SyncHandler, SyncProtocolPlugin } from '@objectql/protocol-sync';
import { createKernel as createServerKernel } from '@objectql/protocol-sync/kernel';
import { readObjectSync } from '@objectql/sync-types/object-yaml';
import express from 'express';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TestPlatform } from '../../plugin-sync/src/platform/test-platform.js';

const cleanUps = [];
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** The application's own database, as the guide's resolver uses it. */
function createDb() {
  const tables = new Map();
  const table = (name) => tables.get(name) ?? tables.set(name, new Map()).get(name);
  return {
    find: async (name, id) => table(name).get(id),
    create: async (name, record) => void table(name).set(record._id, record),
    update: async (name, id, fields) => void table(name).set(id, { ...table(name).get(id), ...fields }),
    delete: async (name, id) => void table(name).delete(id),
  };
}

/** Section 3's server, listening; `fetch` finds it under every host. */
async function startGuideServer() {
  const db = createDb();
  const app = express();
  app.use(express.json());
  const requests = [];
  app.use((req, _res, next) => {
    requests.push({ url: req.url, authorization: req.headers.authorization });
    next();
  });

  const kernel = createServerKernel({
    plugins: [
      new SyncProtocolPlugin({
        endpoint: {
          enabled: true,
          path: '/api/sync',
          maxMutationsPerRequest: 100,
          changeLogRetentionDays: 30,
        },
        conflictFields: new Map([
          ['task', ['title', 'status', 'assignee']],
          ['project', ['name', 'budget']],
        ]),
      }),
    ],
  });

  await kernel.start();

  const resolver = {
    async getRecord(objectName, recordId) {
      return db.find(objectName, recordId);
    },
    async applyMutation(mutation, serverVersion) {
      if (mutation.operation === 'create') {
        await db.create(mutation.objectName, {
          ...mutation.data,
          _id: mutation.recordId,
          _version: serverVersion,
        });
      } else if (mutation.operation === 'update') {
        await db.update(mutation.objectName, mutation.recordId, {
          ...mutation.data,
          _version: serverVersion,
        });
      } else if (mutation.operation === 'delete') {
        await db.delete(mutation.objectName, mutation.recordId);
      }
    },
  };

  // In your route handler:
  app.post('/api/sync/push', async (req, res) => {
    const handler = kernel.syncProtocol.handler;
    const response = await handler.handlePush(req.body, resolver);
    res.json(response);
  });
  // Section 7 calls the same server under another path.
  app.post('/sync/push', async (req, res) => {
    res.json(await kernel.syncProtocol.handler.handlePush(req.body, resolver));
  });

  const server = await new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const { fetch: realFetch } = globalThis;
  vi.stubGlobal('fetch', (url, init) => {
    const { pathname } = new URL(url, 'http://localhost');
    return realFetch(`http://127.0.0.1:${server.address().port}${pathname}`, init);
  });
  cleanUps.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await kernel.shutdown();
  });
  return { db, kernel, requests, resolver };
}

const transport = {
  async push(request) {
    const res = await fetch('/api/sync/push', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(request),
    });
    return res.json();
  },
};

describe("the users' guide", () => {
  it('2. and 3. sync a client on a kernel with a server on a kernel, through Express and the own tables', async () => {
    const { db } = await startGuideServer();
    const kernel = createKernel({
      plugins: [
        new SyncPlugin({
          clientId: 'device-abc-123',
          transport,
          defaultConfig: {
            enabled: true,
            strategy: 'last-write-wins',
            direction: 'bidirectional',
            debounce_ms: 2000,
            batch_size: 50,
          },
        }),
      ],
    });

    await kernel.start();
    cleanUps.push(() => kernel.shutdown());

    const engine = kernel.sync.getEngine('task');
    const created = engine.recordMutation({
      objectName: 'task',
      recordId: 'task-1',
      operation: 'create',
      data: { title: 'New task', status: 'pending' },
      baseVersion: null,
    });
    await engine.sync();
    expect(await engine.settled(created.id)).toEqual({ status: 'applied', serverVersion: 1, droppedFields: [] });
    expect(await db.find('task', 'task-1')).toEqual({
      title: 'New task',
      status: 'pending',
      _id: 'task-1',
      _version: 1,
    });
  });

  it('4. decides conflicts by last-write-wins, crdt and manual, configured as shown', async () => {
    // One clock for all, so that what is later is later.
    const platform = new TestPlatform();
    const server = new SyncHandler({
      platform: {
        now: () => platform.now(),
        randomId: () => platform.newId(),
        setTimer: (work, ms) => platform.setTimer(work, ms),
      },
    });
    const local = { push: async (request) => server.handlePush(structuredClone(request)) };
    const edit = async (engine, recordId, data) => {
      await engine.records.of('task').update(recordId, data);
      return engine.sync();
    };
    const other = new SyncEngine({ clientId: 'other', transport: local, config: { enabled: true }, platform });
    cleanUps.push(() => other.close());

    const outcomes = [];
    for (const config of [
      {
        enabled: true,
        strategy: 'last-write-wins',
      },
      {
        enabled: true,
        strategy: 'crdt',
      },
    ]) {
      const recordId = config.strategy;
      const engine = new SyncEngine({ clientId: `client-${recordId}`, transport: local, config, platform });
      cleanUps.push(() => engine.close());
      other.records.of('task').create(recordId, { title: '0', note: '0' });
      await other.sync();
      await engine.sync();
      await engine.records.of('task').update(recordId, { title: 'earlier', note: 'mine' });
      await platform.advance(1000);
      await edit(other, recordId, { title: 'later' });
      await engine.sync();
      outcomes.push((await engine.records.of('task').get(recordId)).data);
    }
    expect(outcomes).toEqual([
      { title: 'later', note: 'mine' },
      { title: 'later', note: 'mine' },
    ]);

    const engine = new SyncEngine({
      clientId: 'device-abc-123',
      transport: local,
      config: { enabled: true, strategy: 'manual' },
      platform,
      onConflict(conflict) {
        // Return merged data to resolve
        return {
          ...conflict.serverRecord,
          ...conflict.clientMutation.data,
        };
        // Or return undefined to keep as unresolved conflict
      },
    });
    cleanUps.push(() => engine.close());
    other.records.of('task').create('m', { title: '0' });
    await other.sync();
    await engine.sync();
    await engine.records.of('task').update('m', { title: 'mine' });
    await edit(other, 'm', { title: 'theirs', status: 'new' });
    await engine.sync();
    expect((await engine.records.of('task').get('m')).data).toEqual({ title: 'mine', status: 'new' });
  });

  it('5. records mutations in a log, shows what is pending and removes what is acknowledged', () => {
    const logger = new MutationLogger('device-abc-123');

    // Record mutations
    logger.append({
      objectName: 'task',
      recordId: 'task-1',
      operation: 'create',
      data: { title: 'New task', status: 'pending' },
      baseVersion: null,
    });

    logger.append({
      objectName: 'task',
      recordId: 'task-1',
      operation: 'update',
      data: { status: 'in_progress' },
      baseVersion: 1,
    });

    // Query pending mutations
    const pending = logger.getPending(); // All pending
    const taskPending = logger.getPendingForObject('task'); // Per-object

    // Acknowledge after sync
    logger.acknowledge(['mutation-id-1', 'mutation-id-2']);

    expect(pending.map(({ sequence, operation }) => [sequence, operation])).toEqual([
      [1, 'create'],
      [2, 'update'],
    ]);
    expect(taskPending).toEqual(pending);
    expect(logger.getPending()).toEqual(pending);
    logger.acknowledge(pending.map(({ id }) => id));
    expect(logger.getPending()).toEqual([]);
  });

  it('6. reads the sync block of object metadata', () => {
    const client = `
name: task
fields:
  title:
    type: string
  status:
    type: select
    options: [pending, in_progress, completed]
  assignee:
    type: lookup
    reference_to: users

sync:
  enabled: true
  strategy: crdt
  direction: bidirectional
  debounce_ms: 2000
  batch_size: 25
`;
    const server = `
name: task
sync:
  enabled: true
  conflict_fields:
    - title
    - status
    - assignee
`;
    expect(readObjectSync(client, { file: 'task.object.yml' })).toEqual({
      objectName: 'task',
      sync: { enabled: true, strategy: 'crdt', direction: 'bidirectional', debounce_ms: 2000, batch_size: 25 },
    });
    expect(readObjectSync(server, { file: 'task.object.yml' })).toEqual({
      objectName: 'task',
      sync: { enabled: true, conflict_fields: ['title', 'status', 'assignee'] },
    });
  });

  it('7. and 8. sync end to end without a kernel, telling every listener', async () => {
    const { db, kernel, requests, resolver } = await startGuideServer();
    const { handler } = kernel.syncProtocol;
    const token = 'secret-token';
    const versions = [
      { operation: 'create', data: { title: 'Ship it', status: 'pending' } },
      { operation: 'update', data: { status: 'in_progress' } },
      { operation: 'update', data: { assignee: 'Ada' } },
    ];
    await handler.handlePush(
      {
        clientId: 'desk',
        lastCheckpoint: null,
        mutations: versions.map((version, index) => ({
          ...version,
          id: `desk-${index}`,
          objectName: 'task',
          recordId: 'task-100',
          clientId: 'desk',
          timestamp: new Date().toISOString(),
          sequence: index + 1,
          baseVersion: null,
        })),
      },
      resolver,
    );
    const printed = [];
    const console = {
      log: (...words) => printed.push(words),
      error: (...words) => printed.push(words),
      warn: (...words) => printed.push(words),
    };

    // --- Client Side ---
    const syncPlugin = new SyncPlugin({
      clientId: 'mobile-device-42',
      transport: {
        async push(request) {
          const res = await fetch('https://api.example.com/sync/push', {
            method: 'POST',
            headers: {
              'Content-Type': 'application/json',
              Authorization: `Bearer ${token}`,
            },
            body: JSON.stringify(request),
          });
          return res.json();
        },
      },
      defaultConfig: {
        enabled: true,
        strategy: 'last-write-wins',
        direction: 'bidirectional',
        debounce_ms: 3000,
        batch_size: 50,
      },
      listeners: [
        {
          onSyncStart() {
            console.log('⏳ Sync started...');
          },
          onSyncComplete(response) {
            console.log('✅ Sync complete. Checkpoint:', response.checkpoint);
          },
          onSyncError(error) {
            console.error('❌ Sync failed:', error.message);
          },
          onConflict(conflicts) {
            console.warn(`⚠️ ${conflicts.length} conflict(s) detected`);
          },
          onServerChanges(changes) {
            console.log(`📥 ${changes.length} server change(s) received`);
            // Apply server changes to local store
          },
        },
      ],
    });

    // Get the sync engine for 'task' object
    const taskEngine = syncPlugin.getEngine('task');

    // Record offline mutations
    taskEngine.recordMutation({
      objectName: 'task',
      recordId: 'task-100',
      operation: 'update',
      data: { status: 'completed', completed_at: new Date().toISOString() },
      baseVersion: 3,
    });

    // When back online, trigger sync
    await taskEngine.sync();
    cleanUps.push(() => syncPlugin.close());

    expect(await db.find('task', 'task-100')).toMatchObject({
      title: 'Ship it',
      status: 'completed',
      assignee: 'Ada',
      _version: 4,
    });
    expect((await taskEngine.records.get('task-100')).data).toMatchObject({ title: 'Ship it', status: 'completed' });
    expect(requests.at(-1)).toEqual({ url: '/sync/push', authorization: 'Bearer secret-token' });
    expect(printed[0]).toEqual(['⏳ Sync started...']);
    expect(printed.at(-1)).toEqual(['✅ Sync complete. Checkpoint:', taskEngine.getCheckpoint()]);

    // The same field, edited elsewhere and here: it is declared on the server, so nobody decides it silently.
    await handler.handlePush(
      {
        clientId: 'desk',
        lastCheckpoint: null,
        mutations: [
          {
            id: 'desk-9',
            objectName: 'task',
            recordId: 'task-100',
            operation: 'update',
            data: { title: 'Ship it today' },
            clientId: 'desk',
            timestamp: new Date().toISOString(),
            sequence: 9,
            baseVersion: 4,
          },
        ],
      },
      resolver,
    );
    await taskEngine.records.update('task-100', { title: 'Ship it tomorrow' });
    await taskEngine.sync();
    expect(printed).toContainEqual(['⚠️ 1 conflict(s) detected']);
    expect(printed).toContainEqual(['📥 1 server change(s) received']);
    expect(taskEngine.conflicts.list()).toHaveLength(1);

    vi.stubGlobal('fetch', async () => {
      throw new TypeError('no network');
    });
    expect(await taskEngine.sync()).toBeNull();
    expect(printed.at(-1)).toEqual(['❌ Sync failed:', expect.any(String)]);
  });
});
