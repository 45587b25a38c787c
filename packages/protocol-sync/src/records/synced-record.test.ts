import { expect, it, onTestFinished } from 'vitest';
import { openSqliteFixture } from '../storage/sqlite/sqlite-store.fixture.js';
import { SqliteStore } from '../storage/sqlite/sqlite-store.js';
import { create, mutation, setUp } from '../sync-handler.fixture.js';
import type { RecordChange } from './record-change.js';

const site = (recordId: string | number, operation: RecordChange['operation'] = 'create'): RecordChange => ({
  objectName: 'site',
  recordId,
  operation,
  ...(operation === 'delete' ? {} : { data: { name: `Site ${recordId}` } }),
});

it('reads a record that a device wrote, and gives away nothing of the store itself', async () => {
  const { handler, push } = setUp();
  await push({ mutations: [create({ title: 'Roof', tags: ['a'] }), mutation({ data: { done: true } })] });
  const read = { objectName: 'task', recordId: 't1', data: { title: 'Roof', tags: ['a'], done: true }, version: 2 };
  const record = await handler.getRecord('task', 't1');
  expect(record).toEqual(read);
  (record?.data.tags as string[] | undefined)?.push('b');
  expect(await handler.getRecord('task', 't1')).toEqual(read);
});

it('finds no record that was deleted, is of another object, or has another kind of id', async () => {
  const { handler } = setUp();
  await handler.recordChanges([site('s1'), site('s2'), site(7), site('s2', 'delete')]);
  const found = [
    await handler.getRecord('site', 's1'),
    await handler.getRecord('site', 's2'),
    await handler.getRecord('room', 's1'),
    await handler.getRecord('site', '7'),
    await handler.getRecord('site', 7),
  ].map((record) => record?.recordId);
  expect(found).toEqual(['s1', undefined, undefined, undefined, 7]);
});

it('lists the records of one object page by page, each at least once though one changes meanwhile', async () => {
  const { connect, remove } = await openSqliteFixture();
  onTestFinished(remove);
  // Not opened: whoever asks first opens it.
  const { handler } = setUp({ store: new SqliteStore(connect()) });
  await handler.recordChanges([site('s1'), site('s2'), { ...site('r1'), objectName: 'room' }, site('s3'), site('s4')]);
  await handler.recordChange(site('s3', 'delete'));
  const first = await handler.listRecords('site', { limit: 2 });
  expect(first.records).toEqual([
    { objectName: 'site', recordId: 's1', data: { name: 'Site s1' }, version: 1 },
    { objectName: 'site', recordId: 's2', data: { name: 'Site s2' }, version: 1 },
  ]);
  await handler.recordChange({ ...site('s1', 'update'), data: { name: 'Mill' } });
  const second = await handler.listRecords('site', { limit: 2, cursor: first.nextCursor });
  expect(second.records.map(({ recordId }) => recordId)).toEqual(['s4']);
  const third = await handler.listRecords('site', { limit: 2, cursor: second.nextCursor });
  expect(third).toEqual({
    records: [{ objectName: 'site', recordId: 's1', data: { name: 'Mill' }, version: 2 }],
    nextCursor: null,
  });
  for (const [limit, count] of [
    [1, 1],
    [1000, 3],
  ] as const) {
    expect((await handler.listRecords('site', { cursor: null, limit })).records).toHaveLength(count);
  }
});

it('lists a hundred records where nothing else is asked', async () => {
  const { handler } = setUp();
  await handler.recordChanges(Array.from({ length: 101 }, (_, index) => site(`s${index}`)));
  const { records, nextCursor } = await handler.listRecords('site');
  const rest = await handler.listRecords('site', { cursor: nextCursor });
  expect([records.length, rest.records.length]).toEqual([100, 1]);
});

it('refuses to read what is not synced, and what names no record or page', async () => {
  const { handler } = setUp({ objects: { site: { enabled: true }, note: { enabled: false } } });
  const refusals = await Promise.all(
    [
      handler.getRecord('note', 'n1'),
      handler.listRecords('sites'),
      handler.getRecord('site', undefined as never),
      handler.listRecords('site', { limit: 0 }),
      handler.listRecords('site', { limit: 1001 }),
      handler.listRecords('site', { limit: 1.5 }),
      handler.listRecords('site', { cursor: 'next' }),
    ].map((asked) => asked.then(() => 'answered', String)),
  );
  expect(refusals).toEqual([
    'TypeError: getRecord: note is not synced here. Set enabled: true in its sync block.',
    'TypeError: listRecords: sites is not synced here. Set enabled: true in its sync block.',
    'TypeError: getRecord: the id of a record is a non-empty text or an integer.',
    'RangeError: listRecords: limit must be a whole number from 1 to 1000.',
    'RangeError: listRecords: limit must be a whole number from 1 to 1000.',
    'RangeError: listRecords: limit must be a whole number from 1 to 1000.',
    'TypeError: listRecords: cursor must be the nextCursor of another page.',
  ]);
});
