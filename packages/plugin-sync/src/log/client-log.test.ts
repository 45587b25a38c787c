import type { JsonObject } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { isFrozen } from '../../test/fixtures/is-frozen.js';
import { turns } from '../../test/fixtures/turns.js';
import { TestPlatform } from '../platform/test-platform.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { FaultStorage } from '../testing/fault-storage.js';
import { ClientLog } from './client-log.js';
import type { NewMutation } from './new-mutation.js';

function update(recordId: string): NewMutation & { readonly data: JsonObject } {
  return { objectName: 'task', recordId, operation: 'update', data: { title: recordId }, baseVersion: 7 };
}

function open(storage = new FaultStorage(new MemoryStorage()), platform = new TestPlatform()) {
  return { log: new ClientLog({ clientId: 'device-1', storage, platform }), storage, platform };
}

const summary = (log: ClientLog) =>
  Array.from(log.pending, ({ mutation }) => [mutation.recordId, mutation.sequence, mutation.baseVersion]);

/** Holds the next commit until `goOn` is called. */
function heldCommit(storage: FaultStorage): { goOn: () => void } {
  const held = { goOn: () => {} };
  storage.before('commit', () => {
    storage.heal();
    return new Promise<void>((resolve) => {
      held.goOn = resolve;
    });
  });
  return held;
}

test('numbers an entry made in a commit before those appended during it', async () => {
  const { log, storage } = open();
  log.append(update('a'));
  await log.flush();
  const held = heldCommit(storage);
  const committed = log.commit({ newEntries: () => [{ input: update('resolution'), round: 1 }] });
  await turns(50);
  log.append(update('later'));
  held.goOn();
  const [made] = await committed;
  await log.flush();
  expect([made?.mutation.sequence, summary(log), (await storage.load()).meta?.nextSequence]).toEqual([
    2,
    [
      ['a', 1, 7],
      ['resolution', 2, 7],
      ['later', 3, 7],
    ],
    4,
  ]);
});

test('I3 numbers an entry made in a commit before what is not durable yet, so that no tab sends it past that', async () => {
  const { log, storage } = open();
  await log.flush();
  storage.fail('commit', new Error('full'));
  log.append(update('a'));
  await expect(log.flush()).rejects.toThrow('full');
  storage.heal();
  await log.commit({ newEntries: () => [{ input: update('resolution'), round: 1 }] });
  await log.flush();
  const stored = storage.commits.map(({ putEntries = [] }) =>
    putEntries.map(({ mutation }) => [mutation.recordId, mutation.sequence]),
  );
  expect([stored, summary(log).map(([recordId]) => recordId)]).toEqual([
    [[['resolution', 2]], [['a', 3]]],
    ['resolution', 'a'],
  ]);
});

test('changes nothing in memory when a commit fails', async () => {
  const { log, storage } = open();
  log.append(update('a'));
  await log.flush();
  storage.fail('commit', new Error('full'));
  const [entry] = log.pending;
  const change = {
    batch: { removeEntries: [entry?.mutation.id ?? ''] },
    meta: { checkpoint: 'c1' },
    newEntries: () => [{ input: update('b'), round: 0 }],
  };
  await expect(log.commit(change)).rejects.toThrow('full');
  expect([summary(log), log.meta.checkpoint]).toEqual([[['a', 1, 7]], null]);
});

test('leaves no entry an old base, also none that is appended meanwhile', async () => {
  const { log, storage } = open();
  log.append(update('a'));
  await log.flush();
  const held = heldCommit(storage);
  const committed = log.commit({ forgetBases: true });
  await turns(50);
  log.append(update('meanwhile'));
  held.goOn();
  await committed;
  await log.flush();
  expect([summary(log), (await storage.load()).entries.map(({ mutation }) => mutation.baseVersion)]).toEqual([
    [
      ['a', 1, null],
      ['meanwhile', 2, null],
    ],
    [null, null],
  ]);
});

test('I2 starts a new log with all that is pending, and keeps the ids, the sequences and the log they were given in', async () => {
  const { log, storage } = open();
  for (const recordId of ['a', 'b', 'c']) log.append(update(recordId));
  await log.flush();
  const before = Array.from(log.pending, ({ mutation }) => mutation.id);
  log.acknowledge(before.slice(0, 1));
  await log.flush();
  const { logId } = log.meta;
  const commits = storage.commits.length;
  const appended = log.append(update('d'));
  await log.startNewLog();
  const { meta, entries } = await storage.load();
  expect([
    storage.commits.length - commits,
    meta?.logId === log.meta.logId,
    meta?.logId === logId,
    entries.map(({ mutation }) => [mutation.id, mutation.sequence, mutation.firstLogId]),
  ]).toEqual([1, true, false, before.slice(1).map((id, index) => [id, index + 2, logId])]);
  expect(Array.from(log.pending, ({ mutation }) => mutation)).toEqual([
    ...entries.map(({ mutation }) => mutation),
    appended,
  ]);
  const { logId: second } = log.meta;
  await log.flush();
  await log.startNewLog();
  // Where it stands since it was first durable.
  expect(Array.from(log.pending, ({ mutation }) => mutation.firstLogId)).toEqual([logId, logId, second]);
});

test('leaves a log once, also when another tab has left it meanwhile', async () => {
  const { log, storage } = open();
  log.append(update('a'));
  await log.flush();
  const { meta, entries } = await storage.load();
  if (!meta) throw new Error('The log was written.');
  const moved = entries.map((entry) => ({ ...entry, mutation: { ...entry.mutation, firstLogId: meta.logId } }));
  await storage.commit({ meta: { ...meta, logId: 'the other tab’s', revision: meta.revision + 1 }, putEntries: moved });
  await log.startNewLog();
  expect([log.meta.logId, Array.from(log.pending)]).toEqual(['the other tab’s', moved]);
});

test('starts a new log also when nothing is pending', async () => {
  const { log, storage } = open();
  await log.startNewLog();
  expect((await storage.load()).meta?.logId).toBe(log.meta.logId);
});

test('takes over what somebody else has changed, and keeps what is not durable yet', async () => {
  const { log, storage } = open();
  const [a, b] = [log.append(update('a')), log.append(update('b'))];
  await log.flush();
  const { meta } = await storage.load();
  if (!meta) throw new Error('The log was written.');
  const other = { ...b, id: 'other', recordId: 'other', sequence: 3 };
  await storage.commit({
    meta: { ...meta, checkpoint: 'c2', nextSequence: 4 },
    removeEntries: [a.id],
    putEntries: [{ mutation: other, round: 0, tries: 0 }],
  });
  const reloaded = log.reload();
  log.append(update('mine'));
  await reloaded;
  expect([log.meta.checkpoint, summary(log)]).toEqual([
    'c2',
    [
      ['b', 2, 7],
      ['other', 3, 7],
      ['mine', 4, 7],
    ],
  ]);
});

test('reads between two commits, never in the middle of one', async () => {
  const { log, storage } = open();
  const held = heldCommit(storage);
  const committed = log.commit({ meta: { checkpoint: 'c1' } });
  await turns(50);
  const read = log.read(async () => log.meta.checkpoint);
  await turns(50);
  held.goOn();
  await committed;
  expect(await read).toBe('c1');
});

test('makes a commit wait for those who read', async () => {
  const { log } = open();
  await log.load();
  const seen: (string | null)[] = [];
  const read = log.read(async () => {
    seen.push(log.meta.checkpoint);
    await turns(50);
    seen.push(log.meta.checkpoint);
  });
  await Promise.all([log.commit({ meta: { checkpoint: 'c1' } }), read]);
  expect([seen, log.meta.checkpoint]).toEqual([[null, null], 'c1']);
});

test('reads what is being saved before the disk has it', async () => {
  const { log, storage } = open();
  await log.load();
  const held = heldCommit(storage);
  log.append(update('a'));
  const flushed = log.flush();
  await turns(50);
  const pending = await log.read(async () => summary(log));
  const isDurable = log.pending.isDurable([...log.pending][0]?.mutation.id ?? '');
  held.goOn();
  await flushed;
  expect([pending, isDurable]).toEqual([[['a', 1, 7]], false]);
});

test('I6 stores no old base, also with an entry that the commit changes for another reason', async () => {
  const { log, storage } = open();
  log.append(update('a'));
  await log.flush();
  const putEntries = [...log.pending].map((entry) => ({ ...entry, copy: { title: 'before' } }));
  await log.commit({ batch: { putEntries }, forgetBases: true });
  const { entries } = await storage.load();
  expect(entries).toMatchObject([{ copy: { title: 'before' }, mutation: { baseVersion: null } }]);
});

test('I1 I6 keeps what a commit makes where it forgets bases, without one, and not what it removes', async () => {
  const { log, storage } = open();
  log.append(update('settled'));
  log.append(update('kept'));
  await log.flush();
  const removeEntries = Array.from(log.pending, ({ mutation }) => mutation.id).slice(0, 1);
  const newEntries = () => [{ input: update('resolution'), round: 1 }];
  await log.commit({ batch: { removeEntries }, newEntries, forgetBases: true });
  const expected = [
    ['kept', 2, null],
    ['resolution', 3, null],
  ];
  const { log: again } = open(storage);
  await again.load();
  expect([summary(log), summary(again)]).toEqual([expected, expected]);
});

test('says while what it was given exists in memory only', async () => {
  const { log, storage, platform } = open();
  const heard: string[] = [];
  log.observe({ onSaveFailed: (error) => void heard.push(String(error)), onSaved: () => void heard.push('saved') });
  storage.fail('commit', new Error('full'));
  log.append(update('a'));
  await platform.advance(0);
  // As a full disk, it can still be read.
  await log.reload();
  const whileFailing = log.isFailing;
  storage.heal();
  await platform.advance(1000);
  expect([whileFailing, log.isFailing, heard]).toEqual([true, false, ['Error: full', 'saved']]);
});

test('I8 forgets the base of what one tab records while another learns that the feed is another one', async () => {
  const { log, storage } = open();
  await log.flush();
  log.append(update('stored'));
  await log.flush();
  const { log: other } = open(storage, new TestPlatform({ seed: 2 }));
  await other.load();
  storage.fail('commit', new Error('full'));
  other.append(update('mine'));
  await expect(other.flush()).rejects.toThrow('full');
  storage.heal();
  await log.commit({ forgetBases: true });
  other.append(update('also mine'));
  await other.flush();
  await log.reload();
  expect([summary(other), summary(log)]).toEqual(
    Array(2).fill([
      ['stored', 1, null],
      ['mine', 2, null],
      ['also mine', 3, null],
    ]),
  );
});

test('numbers what it has behind what another log has stored on the same storage, also when nobody listens', async () => {
  const { log, storage } = open();
  const { log: other } = open(storage, new TestPlatform({ seed: 2 }));
  await Promise.all([log.load(), other.load()]);
  log.append(update('a'));
  other.append(update('b'));
  await log.flush();
  await other.flush();
  expect(summary(other)).toEqual([
    ['a', 1, 7],
    ['b', 2, 7],
  ]);
});

test('leaves nothing in the storage that somebody could still change', async () => {
  const { log, storage } = open();
  const data = { tags: [{ name: 'a' }] };
  log.append({ ...update('a'), data });
  await log.flush();
  log.append({ ...update('b'), data }, { id: 'an id of the application', timestamp: '2026-01-01T00:00:00.000Z' });
  await log.flush();
  await log.startNewLog();
  data.tags.push({ name: 'b' });
  const { entries } = await storage.load();
  expect([entries.map(({ mutation }) => mutation.data), isFrozen(entries)]).toEqual([
    Array(2).fill({ tags: [{ name: 'a' }] }),
    true,
  ]);
});
