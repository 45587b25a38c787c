/** Sections 7 and 8 of the published users' guide: the whole flow, and every listener. */
import { SyncPlugin } from '@objectql/plugin-sync';
import { describe, expect, it, vi } from 'vitest';
import { cleanUps, startGuideServer } from './guide-server.js';

describe("the users' guide", () => {
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
