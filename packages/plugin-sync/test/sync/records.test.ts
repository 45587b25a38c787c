/** The records as the user sees and changes them: at once, always, and never overwritten under their hands. */
import { expect, test } from 'vitest';
import { device } from '../fixtures/device.js';
import { isFrozen } from '../fixtures/is-frozen.js';
import { appliesWith, change, rejects } from '../fixtures/scripted-server.js';
import { turns } from '../fixtures/turns.js';

test('shows a change at once, and marks it pending until it is settled', async () => {
  const { tasks } = device();
  tasks.records.create('t1', { title: 'one' });
  const before = await tasks.records.get('t1');
  await tasks.sync();
  expect([before, await tasks.records.get('t1')]).toEqual([
    { objectName: 'task', recordId: 't1', data: { title: 'one' }, version: null, isPending: true },
    { objectName: 'task', recordId: 't1', data: { title: 'one' }, version: 1, isPending: false },
  ]);
});

test('finds no record by what is no id, of which storages need know nothing', async () => {
  const { tasks, platform, heard, storage } = device();
  storage.before('getRecords', (refs) => {
    for (const { recordId } of refs)
      if (recordId !== 't1' && recordId !== 0) throw new DOMException('No key.', 'DataError');
  });
  tasks.records.create('t1', { title: 'one' });
  // What a page in JavaScript asks for whose address has no id yet, or one that is no number.
  const ids = ['t1', 0, Number.NaN, null, undefined, true] as readonly (string | number)[];
  const told = new Map<unknown, unknown>();
  for (const id of ids) tasks.records.subscribe(id, (record) => void told.set(id, record?.data.title));
  await platform.advance(0);
  const found = await Promise.all(ids.map((id) => tasks.records.get(id)));
  const expected = ['one', undefined, undefined, undefined, undefined, undefined];
  expect(found.map((record) => record?.data.title)).toEqual(expected);
  expect(told).toEqual(new Map(ids.map((id, index) => [id, expected[index]])));
  expect(heard.filter((line) => line.startsWith('error'))).toEqual([]);
});

test('fills in the version a change is based on', async () => {
  const { tasks } = device({ otherwise: appliesWith({ serverChanges: [change('t1', 7), change('t2', 4)] }) });
  await tasks.sync();
  expect([
    (await tasks.records.update('t1', { title: 'x' })).baseVersion,
    (await tasks.records.delete('t2')).baseVersion,
    tasks.records.create('t3', {}).baseVersion,
    (await tasks.records.update('t3', { title: 'x' })).baseVersion,
  ]).toEqual([7, 4, null, null]);
});

test('lists a record once, also one that is created although the server has it', async () => {
  const { tasks } = device({ otherwise: appliesWith({ serverChanges: [change('t1', 7), change('t2', 4)] }) });
  await tasks.sync();
  tasks.records.create('t1', { title: 'mine' });
  const list = await tasks.records.list();
  expect(list.map(({ recordId, data, isPending }) => [recordId, data.title, isPending])).toEqual([
    ['t1', 'mine', true],
    ['t2', 't2', false],
  ]);
});

test('refuses to change what is not there, and takes changes in the order of the calls', async () => {
  const { tasks } = device();
  await expect(tasks.records.update('nowhere', { title: 'x' })).rejects.toMatchObject({ code: 'UNKNOWN_RECORD' });
  tasks.records.create('t1', { title: 'one' });
  const changes = [
    tasks.records.update('t1', { title: 'two' }),
    tasks.records.update('t1', { title: 'three' }),
    tasks.records.delete('t1'),
  ];
  const made = await Promise.all(changes);
  expect(made.map(({ sequence }) => sequence)).toEqual([2, 3, 4]);
  await expect(tasks.records.delete('t1')).rejects.toMatchObject({ code: 'UNKNOWN_RECORD' });
});

test('takes changes in the order of the calls, also where the storage answers the later one first', async () => {
  const { tasks, storage } = device();
  const waiting: (() => void)[] = [];
  storage.before('getRecords', () => new Promise<void>((answer) => waiting.push(answer)));
  tasks.records.create('t1', { title: '' });
  const typed = [tasks.records.update('t1', { title: 'h' }), tasks.records.update('t1', { title: 'he' })];
  await expect.poll(() => waiting.length).toBe(2);
  for (const answer of waiting.toReversed()) {
    answer();
    await turns(20);
  }
  await Promise.all(typed);
  const recorded = tasks.getMutationLogger().getPending();
  expect(recorded.map(({ data }) => data?.title)).toEqual(['', 'h', 'he']);
});

test('I1 records fields as they are when the change is asked for, whatever becomes of the form they came from', async () => {
  const { tasks } = device();
  tasks.records.create('t1', { title: '', notes: [] });
  const form = { title: 'Typed', notes: ['Typed, too'] };
  const recorded = tasks.records.update('t1', form);
  form.title = '';
  form.notes.pop();
  expect((await recorded).data).toEqual({ title: 'Typed', notes: ['Typed, too'] });
});

test('never lets a server change overwrite a pending edit', async () => {
  const { tasks, server } = device({
    otherwise: appliesWith({ serverChanges: [change('t1', 1, { title: 'a', due: 'x' })] }),
  });
  await tasks.sync();
  await tasks.records.update('t1', { title: 'mine' });
  const later = { status: 'rejected', reason: 'Later.', code: 'INTERNAL', retryable: true } as const;
  server.otherwise = ({ mutations }) => ({
    results: mutations.map(({ id }) => ({ ...later, mutationId: id })),
    serverChanges: [change('t1', 2, { title: 'theirs', due: 'y' })],
  });
  await tasks.sync();
  expect([await tasks.records.get('t1'), tasks.status.pending]).toEqual([
    { objectName: 'task', recordId: 't1', data: { title: 'mine', due: 'y' }, version: 2, isPending: true },
    1,
  ]);
});

test('keeps the higher version, whatever the order changes come in', async () => {
  const { tasks, seen } = device({
    script: [5, 4].map((version) => appliesWith({ serverChanges: [change('t1', version, { title: `v${version}` })] })),
  });
  await tasks.sync();
  await tasks.sync();
  expect(await seen()).toEqual({ t1: 'v5' });
});

test('keeps 1 and "1" apart, and field names of every kind', async () => {
  const { tasks } = device();
  tasks.records.create(1, { title: 'number' });
  tasks.records.create('1', JSON.parse('{"constructor": "string", "toString": 1}'));
  await tasks.sync();
  expect([(await tasks.records.get(1))?.data, (await tasks.records.get('1'))?.data]).toEqual([
    { title: 'number' },
    JSON.parse('{"constructor": "string", "toString": 1}'),
  ]);
});

test('always shows what was recorded before it was read, also while that is being settled', async () => {
  const { tasks, platform } = device();
  const { records } = tasks;
  const reads: Promise<{ readonly recorded: number; readonly seen: number }>[] = [];
  records.create('t1', { title: '0' });
  for (let recorded = 1; recorded <= 20; recorded++) {
    await records.update('t1', { title: String(recorded) });
    void tasks.sync();
    for (let turn = 0; turn < 40; turn++) {
      await turns(1);
      reads.push(records.get('t1').then((record) => ({ recorded, seen: Number(record?.data.title ?? -1) })));
    }
  }
  await platform.advance(60_000);
  const lost = (await Promise.all(reads)).filter(({ recorded, seen }) => seen < recorded);
  expect([lost, (await records.get('t1'))?.data]).toEqual([[], { title: '20' }]);
});

test('shows no change any more that was taken out of the log', async () => {
  const { tasks, platform } = device();
  const shown: unknown[] = [];
  tasks.records.subscribe((records) => void shown.push(records.map(({ recordId }) => recordId)));
  tasks.records.create('t1', {});
  await platform.advance(0);
  tasks.getMutationLogger().clear();
  await platform.advance(0);
  expect(shown).toEqual([['t1'], []]);
});

test('what waits for the user is not part of the view', async () => {
  const { tasks, seen, server } = device({ otherwise: appliesWith({ serverChanges: [change('t1')] }) });
  await tasks.sync();
  await tasks.records.update('t1', { title: 'mine' });
  tasks.records.create('t2', { title: 'refused' });
  server.otherwise = rejects({ code: 'FORBIDDEN' });
  await tasks.sync();
  expect([await seen(), tasks.deadLetters.size]).toEqual([{ t1: 't1' }, 2]);
});

test('stores changes that are awaited one after another together, by the thousand', async () => {
  const { tasks, storage } = device();
  for (let n = 0; n < 1500; n++) tasks.records.create(n, { title: 'one' });
  await tasks.flush();
  for (let n = 0; n < 1500; n++) await tasks.records.update(n, { title: 'two' });
  await tasks.flush();
  const stored = storage.commits.flatMap(({ putEntries = [] }) => putEntries);
  expect([stored.length, storage.commits.length]).toEqual([3000, 3]);
});

test('leaves no record in the storage that somebody could still change', async () => {
  const told = { ...change('t2', 7), data: { tags: [{ name: 'told' }] } };
  const { tasks, storage } = device({ otherwise: appliesWith({ serverChanges: [told] }) });
  const own = { tags: [{ name: 'own' }] };
  tasks.records.create('t1', own);
  await tasks.sync();
  await tasks.records.update('t1', { more: own.tags });
  await tasks.sync();
  own.tags.push({ name: 'later' });
  told.data.tags.push({ name: 'later' });
  const records = await storage.listRecords('task');
  expect([records.map(({ data }) => data), isFrozen(records)]).toEqual([
    [{ tags: [{ name: 'own' }], more: [{ name: 'own' }] }, { tags: [{ name: 'told' }] }],
    true,
  ]);
});
