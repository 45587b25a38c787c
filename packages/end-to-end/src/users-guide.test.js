/**
 * Every example of the published users' guide, word for word. Changed: where `createKernel` is imported from, and, as in
 * any app, `db`, `app`, `token` and the server that `fetch` reaches are given.
 */
import { MutationLogger, SyncEngine, SyncPlugin } from '@objectql/plugin-sync';
import { createKernel } from '@objectql/plugin-sync/kernel';
import { SyncHandler } from '@objectql/protocol-sync';
import { readObjectSync } from '@objectql/sync-types/object-yaml';
import { describe, expect, it } from 'vitest';
import { TestPlatform } from '../../plugin-sync/src/platform/test-platform.js';
import { cleanUps, startGuideServer } from './guide-server.js';

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
    expect(await engine.settled(created.id)).toEqual({ status: 'applied', version: 1, droppedFields: [] });
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
      other.records.of('task').create(recordId, { title: '0', status: '0', note: '0' });
      await other.sync();
      await engine.sync();
      engine.pause();
      await engine.records.of('task').update(recordId, { title: 'mine', note: 'mine' });
      await platform.advance(1000);
      await edit(other, recordId, { title: 'theirs', status: 'theirs' });
      await platform.advance(1000);
      await engine.records.of('task').update(recordId, { status: 'mine' });
      engine.resume();
      await engine.sync();
      outcomes.push((await engine.records.of('task').get(recordId)).data);
    }
    expect(outcomes).toEqual([
      { title: 'theirs', status: 'mine', note: 'mine' },
      { title: 'theirs', status: 'theirs', note: 'mine' },
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
});
