/** What each object’s configuration and each client’s options let through. */
import { expect, test } from 'vitest';
import manifest from '../../package.json';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { SyncEngine } from '../../src/sync-engine.js';
import { SyncPlugin, type SyncPluginOptions } from '../../src/sync-plugin.js';
import { device } from '../fixtures/device.js';
import { appliesWith, change, ScriptedServer } from '../fixtures/scripted-server.js';

const creation = {
  objectName: 'task',
  recordId: 't1',
  operation: 'create',
  data: { title: 'x' },
  baseVersion: null,
} as const;

test('an engine alone works as the guide shows it', async () => {
  const platform = new TestPlatform();
  const engine = new SyncEngine({
    clientId: 'device-abc-123',
    transport: new ScriptedServer(platform),
    config: { enabled: true, strategy: 'manual' },
    platform,
    onConflict: () => undefined,
  });
  const entry = engine.recordMutation(creation);
  expect([engine.getMutationLogger().getPending(), engine.isSyncing(), engine.getCheckpoint()]).toEqual([
    [entry],
    false,
    null,
  ]);
  const synced = engine.sync();
  expect(engine.isSyncing()).toBe(true);
  expect([(await synced)?.checkpoint, engine.getCheckpoint(), engine.getMutationLogger().size]).toEqual([
    'place-1',
    'place-1',
    0,
  ]);
  await engine.close();
});

test('an engine alone serves all objects, and names one for records', async () => {
  const platform = new TestPlatform();
  const config = { enabled: true };
  const engine = new SyncEngine({ clientId: 'a', transport: new ScriptedServer(platform), config, platform });
  expect(() => engine.records.create('t1', {})).toThrow("name one with records.of('task')");
  engine.records.of('task').create('t1', { title: 'x' });
  expect(await engine.records.of('task').get('t1')).toMatchObject({ data: { title: 'x' } });
});

test('an object that is not enabled records nothing, stores nothing and syncs nothing', async () => {
  const { tasks, plugin, heard, seen, server } = device({
    otherwise: appliesWith({ serverChanges: [change('t1')] }),
    objects: new Map([['task', { enabled: false }]]),
  });
  const message = 'task takes no part in sync. Set sync.enabled to true for it.';
  expect(() => tasks.recordMutation(creation)).toThrow(expect.objectContaining({ code: 'NOT_ENABLED', message }));
  expect([await tasks.sync(), server.requests.length]).toEqual([null, 0]);
  await plugin.syncAll();
  expect([await seen(), heard]).toEqual([{}, ['start', 'complete']]);
});

test('a client without any enabled object is disabled', async () => {
  const { plugin, tasks, server } = device({ config: { enabled: false } });
  expect([await plugin.syncAll(), tasks.status.state, server.requests.length]).toEqual([null, 'disabled', 0]);
});

test('a pull-only object pulls and refuses to record', async () => {
  const { tasks, seen } = device({
    otherwise: appliesWith({ serverChanges: [change('t1')] }),
    config: { direction: 'pull-only' },
  });
  const message = 'task is pull-only: it is changed on the server alone.';
  expect(() => tasks.recordMutation(creation)).toThrow(expect.objectContaining({ code: 'READ_ONLY', message }));
  await tasks.sync();
  expect(await seen()).toEqual({ t1: 't1' });
});

test('a client that only pushes asks for no changes, and asks nothing when it has nothing to send', async () => {
  const { tasks, heard, storage, server } = device({ config: { direction: 'push-only' } });
  expect([await tasks.sync(), heard]).toEqual([null, []]);
  tasks.recordMutation(creation);
  await tasks.sync();
  expect([server.requests.map(({ pull, objects }) => ({ pull, objects })), await storage.listRecords('task')]).toEqual([
    [{ pull: false, objects: undefined }],
    [],
  ]);
});

test('stores no change of a push-only object among others that pull', async () => {
  const other = { ...change('p1'), objectName: 'project' };
  const { tasks, plugin, seen, heard } = device({
    otherwise: appliesWith({ serverChanges: [change('t1'), other] }),
    objects: { task: { enabled: true, direction: 'push-only' } },
  });
  await tasks.sync();
  expect([await seen(), (await plugin.getEngine('project').records.list()).length, heard]).toEqual([
    {},
    1,
    ['start', 'changes: p1', 'complete'],
  ]);
});

test('asks for the objects of its metadata only, where nothing else is to be synced', async () => {
  const platform = new TestPlatform();
  const server = new ScriptedServer(platform);
  const plugin = new SyncPlugin({
    clientId: 'a',
    transport: server,
    platform,
    objects: { task: { enabled: true }, note: { enabled: true, direction: 'pull-only' }, log: { enabled: false } },
  });
  await plugin.syncAll();
  expect(server.requests.map(({ objects }) => objects)).toEqual([['task', 'note']]);
  expect(() => plugin.getEngine('other').recordMutation({ ...creation, objectName: 'other' })).toThrow(
    'other takes no part in sync',
  );
});

test('the engine of one object refuses mutations of another', () => {
  const { tasks } = device();
  expect(() => tasks.recordMutation({ ...creation, objectName: 'note' })).toThrow(
    "This is the engine of task; record note with getEngine('note').",
  );
});

test('gives the same engine for an object each time', () => {
  const { plugin, tasks } = device();
  const notes = plugin.getEngine('note');
  expect([plugin.getEngine('task') === tasks, [...plugin.getAllEngines()]]).toEqual([
    true,
    [
      ['task', tasks],
      ['note', notes],
    ],
  ]);
});

test('names an option or configuration key that nobody reads', () => {
  const base = { clientId: 'a', transport: new ScriptedServer(new TestPlatform()) };
  // The casts hand in what JavaScript callers hand in.
  const wrong = [
    { ...base, listener: [] },
    { ...base, defaultConfig: { enabled: true, batchSize: 5 } },
    { ...base, defaultConfig: { enabled: true, strategy: 'newest' } },
    { ...base, clientId: '' },
  ] as unknown as SyncPluginOptions[];
  const messages = wrong.map((options) => {
    try {
      return new SyncPlugin(options).name;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  });
  expect(messages).toEqual([
    'listener is no option. Known: clientId, transport, storage, tabs, onConflict, listeners, user, live, platform, objects, defaultConfig.',
    'defaultConfig.batchSize is no option. Known: enabled, strategy, direction, debounce_ms, batch_size, conflict_fields.',
    'defaultConfig.strategy must be one of last-write-wins, crdt, manual, or a function.',
    'clientId must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
  ]);
});

test('offers itself to a kernel, syncs first when that starts, and ends with it', async () => {
  const { plugin, platform, server } = device();
  const services = new Map<string, unknown>();
  const kernel: { sync?: unknown } = {};
  plugin.init({ registerService: (name, service) => void services.set(name, service), getKernel: () => kernel });
  await plugin.start();
  await platform.advance(0);
  expect([kernel.sync === plugin, services.get('sync') === plugin, server.requests.length]).toEqual([true, true, 1]);
  expect([plugin.name, plugin.version]).toEqual([manifest.name, manifest.version]);
  await plugin.destroy();
  expect(plugin.client.status.state).toBe('closed');
});

test.each([{}, { getKernel: () => undefined }, { getKernel: () => null }])(
  'offers itself to a plugin host that has no kernel to show: %o',
  (host) => {
    const { plugin } = device();
    const services = new Map<string, unknown>();
    plugin.init({ registerService: (name, service) => void services.set(name, service), ...host });
    expect(services.get('sync')).toBe(plugin);
  },
);

test('starts with a kernel also when the server cannot be reached', async () => {
  const { plugin, platform } = device({
    transport: {
      push: () => {
        throw new Error('thrown before any promise');
      },
    },
  });
  await plugin.start();
  await platform.advance(0);
  expect(plugin.client.status).toMatchObject({ state: 'waiting', lastError: 'The server could not be reached.' });
});

test('pulls through the transport’s own pull where it has one', async () => {
  const platform = new TestPlatform();
  const server = new ScriptedServer(platform);
  const pulled: unknown[] = [];
  const pull = async (request: object) => {
    pulled.push(request);
    return { protocol: 2, results: [], serverChanges: [], checkpoint: 'pulled' } as const;
  };
  const { tasks } = device({ transport: { push: (...call) => server.push(...call), pull }, platform });
  await tasks.sync();
  tasks.records.create('t1', { title: 'x' });
  await tasks.sync();
  expect([pulled, server.requests.length]).toEqual([
    [
      {
        clientId: 'device-1',
        lastCheckpoint: null,
        protocol: 2,
        logId: expect.any(String),
        sentAt: '2026-01-01T00:00:00.000Z',
      },
    ],
    1,
  ]);
});
