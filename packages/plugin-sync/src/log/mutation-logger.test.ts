import { expect, test } from 'vitest';
import { turns } from '../../test/fixtures/turns.js';
import { TestPlatform } from '../platform/test-platform.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { FaultStorage } from '../testing/fault-storage.js';
import { MutationLogger } from './mutation-logger.js';
import type { NewMutation } from './new-mutation.js';

function create(recordId: string, objectName = 'task'): NewMutation {
  return { objectName, recordId, operation: 'create', data: { title: recordId }, baseVersion: null };
}

function logger(storage = new FaultStorage(new MemoryStorage()), platform = new TestPlatform()) {
  return { log: new MutationLogger('device-1', { storage, platform }), storage, platform };
}

const sequences = (log: MutationLogger) => log.getPending().map(({ recordId, sequence }) => [recordId, sequence]);

test('returns the frozen entry at once, numbered from 1', () => {
  const { log } = logger();
  const entry = log.append(create('a'));
  expect(entry).toEqual({
    id: '019b76da-a800-7000-8001-000000000002',
    objectName: 'task',
    recordId: 'a',
    operation: 'create',
    data: { title: 'a' },
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId: 'device-1',
    sequence: 1,
    baseVersion: null,
  });
  expect([Object.isFrozen(entry), log.append(create('b')).sequence, log.append(create('c')).sequence]).toEqual([
    true,
    2,
    3,
  ]);
});

test('works as the guide shows it, without any options', () => {
  const log = new MutationLogger('device-abc-123');
  const first = log.append(create('task-1'));
  const second = log.append({ ...create('task-1'), operation: 'update', baseVersion: 1 });
  log.append(create('project-1', 'project'));
  expect([log.getPending().length, log.getPendingForObject('task'), log.size, log.getClientId()]).toEqual([
    3,
    [first, second],
    3,
    'device-abc-123',
  ]);
  log.acknowledge([first.id, 'mutation-id-2']);
  expect(log.getPendingForObject('task')).toEqual([second]);
});

test('stores what one turn appends in one commit', async () => {
  const { log, storage } = logger();
  for (const recordId of ['a', 'b', 'c']) log.append(create(recordId));
  await log.flush();
  expect(storage.commits.map(({ putEntries }) => putEntries?.map(({ mutation }) => mutation.recordId))).toEqual([
    ['a', 'b', 'c'],
  ]);
});

test('stores by itself, without a flush', async () => {
  const { log, storage, platform } = logger();
  log.append(create('a'));
  await platform.advance(0);
  expect(storage.commits.length).toBe(1);
});

test('gives the next process what is pending, in order, and numbers on behind it', async () => {
  const { log, storage } = logger();
  for (const recordId of ['a', 'b', 'c']) log.append(create(recordId));
  log.acknowledge(
    log
      .getPending()
      .slice(0, 1)
      .map(({ id }) => id),
  );
  await log.flush();

  const { log: next } = logger(storage, new TestPlatform({ seed: 2 }));
  await next.load();
  next.append(create('d'));
  expect(sequences(next)).toEqual([
    ['b', 2],
    ['c', 3],
    ['d', 4],
  ]);
});

test('numbers what is appended while the storage loads behind what is stored, before it is persisted', async () => {
  const { log, storage } = logger();
  for (const recordId of ['a', 'b']) log.append(create(recordId));
  await log.flush();

  const { log: next } = logger(storage, new TestPlatform({ seed: 2 }));
  const provisional = next.append(create('c')).sequence;
  await next.flush();
  expect([provisional, sequences(next)]).toEqual([
    1,
    [
      ['a', 1],
      ['b', 2],
      ['c', 3],
    ],
  ]);
  const stored = await storage.load();
  expect(stored.entries.map(({ mutation }) => mutation.sequence)).toEqual([1, 2, 3]);
  expect(stored.meta?.nextSequence).toBe(4);
});

test('I1 keeps what the storage refuses, and stores it later by itself', async () => {
  const { log, storage, platform } = logger();
  storage.fail('commit', new Error('disk full'));
  log.append(create('a'));
  await expect(log.flush()).rejects.toThrow('disk full');
  await platform.advance(5000);
  expect([log.size, storage.commits.length]).toEqual([1, 0]);

  storage.heal();
  await platform.advance(60_000);
  expect([log.size, (await storage.load()).entries.length]).toEqual([1, 1]);
});

test('opens a storage that failed to open once it can be', async () => {
  const { log, storage, platform } = logger();
  storage.fail('load', new Error('locked'));
  log.append(create('a'));
  await expect(log.flush()).rejects.toThrow('locked');
  storage.heal();
  await platform.advance(60_000);
  expect((await storage.load()).entries.length).toBe(1);
});

test('forgets an entry for good that is acknowledged while it is being saved', async () => {
  const { log, storage } = logger();
  const saving = new Promise<() => void>((isSaving) => {
    storage.before('commit', () => new Promise<void>((goOn) => isSaving(goOn)));
  });
  const { id } = log.append(create('a'));
  const flushed = log.flush();
  const saveGoesOn = await saving;
  log.acknowledge([id]);
  storage.heal();
  saveGoesOn();
  await flushed;
  await log.flush();
  expect([log.size, (await storage.load()).entries]).toEqual([0, []]);
});

test('forgets for good what is acknowledged in any turn of being stored', async () => {
  for (let count = 0; count < 20; count++) {
    const { log, storage } = logger();
    const { id } = log.append(create('a'));
    await turns(count);
    log.acknowledge([id]);
    await log.flush();
    expect({ count, stored: (await storage.load()).entries, pending: log.getPending() }).toEqual({
      count,
      stored: [],
      pending: [],
    });
  }
});

test('touches a new entry alone, however many are pending', async () => {
  const { log, storage } = logger();
  for (let index = 0; index < 100_000; index++) log.append(create(`t${index}`));
  await log.flush();
  log.append(create('last'));
  await log.flush();
  expect(storage.commits.map(({ putEntries }) => putEntries?.length)).toEqual([100_000, 1]);
});

test('clears everything that is pending', async () => {
  const { log, storage } = logger();
  for (const recordId of ['a', 'b']) log.append(create(recordId));
  log.clear();
  await log.flush();
  expect([log.size, log.getPending(), (await storage.load()).entries]).toEqual([0, [], []]);
});

test('changes nothing for ids that are not pending', async () => {
  const { log, storage } = logger();
  log.acknowledge(['nobody']);
  await log.flush();
  expect(storage.commits).toEqual([]);
});

test('refuses to record once it is closed, and saves first what was recorded', async () => {
  const { log, storage } = logger();
  log.append(create('a'));
  await log.close();
  expect(() => log.append(create('b'))).toThrow('The log is closed: nothing was recorded.');
  expect(storage.operations).toEqual(['load', 'commit', 'close']);
});

test('refuses a client id that no server would take', () => {
  expect(() => new MutationLogger('')).toThrow(
    'clientId must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
  );
});

test.each(['disk full', undefined])(
  'saves what it could not save before when it is closed, or says why not: %s',
  async (why) => {
    const { log, storage, platform } = logger();
    storage.fail('commit', new Error('disk full'));
    log.append(create('a'));
    await platform.advance(0);
    storage.heal();
    if (why) storage.fail('commit', new Error(why));
    const closed = await log.close().catch(({ message }: Error) => message);
    expect([closed, storage.commits.length]).toEqual([why, why ? 0 : 1]);
  },
);
