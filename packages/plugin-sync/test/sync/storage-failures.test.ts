/** I6: what an answer brings is stored as a whole or comes again, whatever fails. */
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { CheckpointMovedError } from '../../src/storage/client-storage.js';
import { MemoryStorage } from '../../src/storage/memory-storage.js';
import { StorageError } from '../../src/storage/storage-error.js';
import { FaultStorage, type StorageOperation } from '../../src/testing/fault-storage.js';
import { device } from '../fixtures/device.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';
import { realServer } from '../fixtures/real-server.js';
import { applies, appliesWith, change, rejects } from '../fixtures/scripted-server.js';

test('trace 9 keeps the pages stored before the storage failed, and resumes at the one that did', async () => {
  const platform = new TestPlatform();
  const server = realServer(platform, { limits: { maxPageRecords: 2 } });
  for (let index = 1; index <= 7; index++) {
    const recordId = `t${index}`;
    await server.handler.recordChange({ objectName: 'task', recordId, operation: 'create', data: { title: recordId } });
  }
  const { transport, requests } = server.connect();
  const { tasks, seen, heard, storage } = device({ transport, platform });
  let commits = 0;
  storage.before('commit', () => {
    if (++commits === 3) throw new Error('quota exceeded');
  });

  expect(await tasks.sync()).toBeNull();
  const afterFailure = { seen: await seen(), checkpoint: tasks.getCheckpoint() };
  expect([afterFailure.seen, heard.at(-1)]).toEqual([
    { t1: 't1', t2: 't2', t3: 't3', t4: 't4' },
    'error: quota exceeded',
  ]);
  await platform.advance(60_000);
  // The fourth request was for the page behind the one that could not be stored.
  expect([requests[4]?.lastCheckpoint, Object.keys(await seen()).length]).toEqual([afterFailure.checkpoint, 7]);
});

test('stores outcomes, changes and checkpoint of an answer in one commit', async () => {
  const { tasks, storage } = device({ otherwise: appliesWith({ serverChanges: [change('t2')], checkpoint: 'c9' }) });
  const { id } = tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  expect(storage.commits.slice(1)).toEqual([
    expect.objectContaining({
      expectCheckpoint: null,
      removeEntries: [id],
      putRecords: [
        expect.objectContaining({ recordId: 't1', version: 1 }),
        expect.objectContaining({ recordId: 't2', version: 1 }),
      ],
      meta: expect.objectContaining({ checkpoint: 'c9' }),
    }),
  ]);
});

test('drops an answer when somebody else has stored another one meanwhile, and asks again from there', async () => {
  const { tasks, plugin, storage, server } = device();
  await tasks.sync();
  tasks.records.create('t1', { title: 'one' });
  tasks.records.create('t2', { title: 'two' });
  await tasks.flush();
  const [first] = plugin.client.log.pending;
  // Another tab settles the first of them while our request is under way.
  server.otherwise = async (request) => {
    server.otherwise = applies;
    const { meta } = await storage.load();
    if (meta && first) {
      await storage.commit({ meta: { ...meta, checkpoint: 'other tab' }, removeEntries: [first.mutation.id] });
    }
    return applies(request, server);
  };
  await tasks.sync();
  expect([
    server.requests.slice(1).map(({ lastCheckpoint, mutations }) => [lastCheckpoint, mutations.length]),
    tasks.status,
  ]).toEqual([
    [
      ['place-1', 2],
      ['other tab', 1],
    ],
    expect.objectContaining({ pending: 0, state: 'idle' }),
  ]);
});

test('does not fight for ever with somebody who keeps moving the checkpoint', async () => {
  const { tasks, storage, server } = device();
  storage.before('commit', ({ expectCheckpoint }) => {
    if (expectCheckpoint !== undefined) throw new CheckpointMovedError();
  });
  expect(await tasks.sync()).toBeNull();
  expect([server.requests.length, tasks.status.state]).toEqual([4, 'waiting']);
});

test('answers come again as duplicates when storing them failed, and are settled once', async () => {
  const platform = new TestPlatform();
  const server = realServer(platform);
  const { transport, requests } = server.connect();
  const { tasks, storage } = device({ transport, platform });
  const { id } = tasks.records.create('t1', { title: 'one' });
  await tasks.flush();
  storage.before('commit', () => {
    storage.heal();
    throw new Error('busy');
  });
  await tasks.sync();
  await platform.advance(60_000);
  const page = await server.handler.store.page({ after: 0, limit: 10 });
  expect([requests.length, await tasks.settled(id), tasks.status.pending, page.records.length]).toEqual([
    2,
    { status: 'applied', version: 1, droppedFields: [] },
    0,
    1,
  ]);
});

test('tells programs why the storage fails, until it no longer does', async () => {
  const { tasks, platform, storage } = device();
  storage.fail('commit', new StorageError('FULL', 'disk full'));
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(0);
  const failing = tasks.status;
  storage.heal();
  await platform.advance(60_000);
  expect([failing, tasks.status]).toEqual([
    expect.objectContaining({ isStorageFailing: true, lastError: 'disk full', lastErrorCode: 'FULL' }),
    expect.objectContaining({ isStorageFailing: false, lastError: null, lastErrorCode: null }),
  ]);
});

test.each<[string, StorageOperation, StorageError]>([
  ['has no room for what the server sends, until it has', 'commit', new StorageError('FULL', 'disk full')],
  ['does not open, until it does', 'load', new StorageError('UNAVAILABLE', 'a private window')],
])('says that the storage fails also where it %s', async (_, operation, error) => {
  const { tasks, platform, storage } = device({ otherwise: appliesWith({ serverChanges: [change('t1')] }) });
  storage.fail(operation, error);
  await tasks.sync();
  const failing = tasks.status;
  storage.heal();
  await platform.advance(60_000);
  expect([failing, tasks.status]).toEqual([
    expect.objectContaining({ isStorageFailing: true, attention: true, lastErrorCode: error.code }),
    expect.objectContaining({ isStorageFailing: false, attention: false, lastErrorCode: null }),
  ]);
});

test('tells of a storage that does not open when somebody begins to watch the status', async () => {
  const { tasks, platform, storage, heard } = device();
  storage.fail('load', new StorageError('UNAVAILABLE', 'a private window'));
  const seen: boolean[] = [];
  tasks.subscribeStatus(({ isStorageFailing }) => void seen.push(isStorageFailing));
  await platform.advance(0);
  expect([heard, seen]).toEqual([['error: a private window'], [false, true]]);
});

test('says that the storage fails where it does not take a decision of the user, until it works again', async () => {
  const { tasks, platform, storage } = device({ otherwise: rejects({ code: 'FORBIDDEN' }) });
  const { id } = tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  storage.fail('commit', new StorageError('FULL', 'disk full'));
  await expect(tasks.deadLetters.discard(id)).rejects.toMatchObject({ code: 'FULL' });
  const failing = tasks.status;
  storage.heal();
  await platform.advance(60_000);
  expect([failing, tasks.status]).toEqual([
    expect.objectContaining({ isStorageFailing: true, deadLetters: 1 }),
    expect.objectContaining({ isStorageFailing: false, deadLetters: 1 }),
  ]);
});

test('stores nothing for a decision about what waits no more', async () => {
  const { tasks, platform, storage } = device();
  await tasks.sync();
  const before = storage.commits.length;
  await expect(tasks.deadLetters.discard('m1')).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
  await platform.advance(60_000);
  expect(storage.commits.length - before).toBe(0);
});

test('shows no failing storage where somebody else came first', async () => {
  const { tasks, storage } = device();
  let moves = 3;
  storage.before('commit', ({ expectCheckpoint }) => {
    if (expectCheckpoint !== undefined && moves-- > 0) throw new CheckpointMovedError();
  });
  const told: boolean[] = [];
  tasks.subscribeStatus(({ isStorageFailing }) => void told.push(isStorageFailing));
  await tasks.sync();
  expect([moves, new Set(told)]).toEqual([-1, new Set([false])]);
});

test('sends nothing that is not durable, and says that it is not', async () => {
  const { tasks, platform, heard, storage, server } = device();
  storage.fail('commit', new Error('disk full'));
  tasks.records.create('t1', { title: 'one' });
  await expect(tasks.flush()).rejects.toThrow('disk full');
  await platform.advance(5000);
  expect([server.requests.length, tasks.status, heard[0]]).toEqual([
    0,
    expect.objectContaining({ pending: 1, isStorageFailing: true, attention: true, lastError: 'disk full' }),
    'error: disk full',
  ]);
  storage.heal();
  await platform.advance(120_000);
  expect([server.requests.length, tasks.status]).toEqual([
    1,
    expect.objectContaining({ pending: 0, isStorageFailing: false, attention: false }),
  ]);
});

test('I13 sends what is durable while the storage has no room for what came later', async () => {
  const { tasks, heard, storage, server } = device();
  tasks.records.create('small', { title: 'small' });
  await tasks.flush();
  storage.before('commit', ({ putEntries = [] }) => {
    if (putEntries.length > 0) throw new Error('quota exceeded');
  });
  tasks.records.create('large', { title: 'large' });
  expect(await tasks.sync()).toBeNull();
  expect(server.requests.map(({ mutations }) => mutations.map(({ recordId }) => recordId))).toEqual([['small']]);
  expect([tasks.status.pending, tasks.status.isStorageFailing, heard.at(-1)]).toEqual([
    1,
    true,
    'error: quota exceeded',
  ]);
});

test('makes what is recorded offline durable as soon as the storage recovers', async () => {
  const { tasks, platform, storage } = device();
  storage.fail('commit', new Error('disk full'));
  platform.setOnline(false);
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(5000);
  storage.heal();
  await platform.advance(60_000);
  expect((await storage.load()).entries.length).toBe(1);
});

test('tries a storage again that cannot be opened, and loses nothing recorded meanwhile', async () => {
  const storage = new FaultStorage(new MemoryStorage());
  storage.fail('load', new Error('The database is locked.'));
  const { edit, tasks, platform, server, heard } = device({ storage });
  edit();
  await platform.advance(10_000);
  const failing = {
    pending: tasks.status.pending,
    requests: server.requests.length,
    told: heard.includes('error: The database is locked.'),
  };
  storage.heal();
  await platform.advance(120_000);
  expect([failing, server.applied.length, tasks.status.pending]).toEqual([
    { pending: 1, requests: 0, told: true },
    1,
    0,
  ]);
});

test('shows the records once a storage opens that did not at first, though the server has nothing new', async () => {
  const storage = new FaultStorage(new LastingStorage(), [{ nth: 1, of: 'load', when: 'before' }]);
  const { tasks, heard } = device({ storage });
  const shown: unknown[] = [];
  tasks.records.subscribe((records) => void shown.push(records));
  tasks.records.subscribe('t1', (record) => void shown.push(record));
  await expect.poll(() => heard.length).toBe(2);
  await tasks.sync();
  await expect.poll(() => shown).toEqual(expect.arrayContaining([[], undefined]));
});

test('shows what could not be read after the next sync, though the server has nothing new', async () => {
  const { tasks, heard, storage } = device();
  await tasks.sync();
  storage.fail('listRecords', new Error('The connection is lost.'));
  const shown: unknown[] = [];
  tasks.records.subscribe((records) => void shown.push(records));
  await expect.poll(() => heard.at(-1)).toBe('error: The connection is lost.');
  storage.heal();
  await tasks.sync();
  await expect.poll(() => shown).toEqual([[]]);
});

test('shows by itself what could not be read, also without a network', async () => {
  const { tasks, platform, plugin, heard, storage } = device();
  platform.setOnline(false);
  storage.fail('listRecords', new Error('The connection is lost.'));
  storage.fail('getRecords', new Error('The connection is lost.'));
  const shown: unknown[] = [];
  tasks.records.subscribe((records) => void shown.push(records));
  tasks.records.subscribe('t1', (record) => void shown.push(record));
  await platform.advance(1000);
  storage.heal();
  await platform.advance(60_000);
  expect([shown, new Set(heard)]).toEqual([[[], undefined], new Set(['error: The connection is lost.'])]);
  storage.fail('listRecords', new Error('The connection is lost again.'));
  tasks.records.subscribe(() => {});
  await platform.advance(0);
  await plugin.close();
  expect(platform.pendingTimersMs).toEqual([]);
});
