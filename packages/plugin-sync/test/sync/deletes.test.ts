/** Deletes against edits, and records that come back. */
import type { Strategy } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { serverRecord, twoDevices } from '../fixtures/two-devices.js';

test('trace 6 re-creates a record from the whole local copy when the edit is later than the delete', async () => {
  for (const serverOptions of [{}, { strategy: 'last-write-wins' as const }]) {
    const { a, b, server, platform } = await twoDevices(serverOptions);
    await b.tasks.records.delete('t1');
    await b.tasks.sync();
    await platform.advance(5000);
    const { id } = await a.tasks.records.update('t1', { title: 'mine' });
    const outcome = a.tasks.settled(id);
    await a.tasks.sync();
    expect([await outcome, await serverRecord(server), (await a.tasks.records.get('t1'))?.data]).toEqual([
      { status: 'applied', version: 3, droppedFields: [] },
      { title: 'mine', status: 'open', due: 'then' },
      { title: 'mine', status: 'open', due: 'then' },
    ]);
    await b.tasks.sync();
    expect(await b.seen()).toEqual({ t1: 'mine' });
  }
});

test('re-creates the whole record once, when several edits of it are later than the delete', async () => {
  const { a, b, server, platform } = await twoDevices();
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  await platform.advance(5000);
  const made = [
    await a.tasks.records.update('t1', { title: 'mine' }),
    await a.tasks.records.update('t1', { status: 'done' }),
  ];
  const outcomes = made.map(({ id }) => a.tasks.settled(id));
  const answered = await a.tasks.sync();
  expect([await Promise.all(outcomes), await serverRecord(server)]).toEqual([
    [3, 3].map((version) => ({ status: 'applied', version, droppedFields: [] })),
    { title: 'mine', status: 'done', due: 'then' },
  ]);
  expect(answered?.results.map(({ status }) => status)).toEqual(['conflict', 'conflict', 'applied']);
});

test('re-creates a record with the value it had where a strategy of the application’s own drops the edit of a field', async () => {
  const keepTitle: Strategy = () => ({ do: 'apply', drop: ['title'] });
  const { a, b, server } = await twoDevices({}, { config: { strategy: keepTitle } });
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  await a.tasks.records.update('t1', { title: 'mine', status: 'done' });
  await a.tasks.sync();
  expect(await serverRecord(server)).toEqual({ title: 'old', status: 'done', due: 'then' });
});

test('re-creates the whole record also when its delete arrived before the edit was sent', async () => {
  const { a, b, server, platform } = await twoDevices();
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  await platform.advance(5000);
  // 60 others stand before the edit, so it goes with the second batch, after the delete was pulled.
  for (let index = 0; index < 60; index++) a.tasks.records.create(`x${index}`, { title: 'x' });
  await a.tasks.records.update('t1', { title: 'mine' });
  const seen: unknown[] = [];
  a.tasks.records.subscribe('t1', (record) => void seen.push(record?.data.title));
  await a.tasks.sync();
  await platform.advance(0);
  expect([await serverRecord(server), new Set(seen)]).toEqual([
    { title: 'mine', status: 'open', due: 'then' },
    new Set(['mine']),
  ]);
});

test('a parked edit of a deleted record can still be re-created as a whole', async () => {
  const { a, b, server } = await twoDevices({}, { config: { strategy: 'manual' } });
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { title: 'mine' });
  await a.tasks.sync();
  expect(await a.seen()).toEqual({});
  await a.tasks.conflicts.resolve(id, 'mine');
  await a.tasks.sync();
  expect(await serverRecord(server)).toEqual({ title: 'mine', status: 'open', due: 'then' });
});

test('my delete of what they deleted is applied and changes nothing', async () => {
  const { a, b } = await twoDevices();
  await b.tasks.records.delete('t1');
  await b.tasks.sync();
  const { id } = await a.tasks.records.delete('t1');
  const outcome = a.tasks.settled(id);
  await a.tasks.sync();
  expect([await outcome, a.heard]).toEqual([
    { status: 'applied', version: 2, droppedFields: [] },
    ['start', 'changes: t1', 'complete'],
  ]);
});

test('trace 7 an edit made to an earlier incarnation is a conflict', async () => {
  const { a, b } = await twoDevices({ strategy: 'last-write-wins' });
  await b.tasks.records.delete('t1');
  b.tasks.records.create('t1', { title: 'reborn' });
  await b.tasks.sync();
  const { id } = await a.tasks.records.update('t1', { note: 'mine' });
  await a.tasks.sync();
  expect(await a.tasks.settled(id)).toMatchObject({
    status: 'conflict',
    conflict: { kind: 'stale-incarnation', serverRecord: { title: 'reborn' } },
  });
});
