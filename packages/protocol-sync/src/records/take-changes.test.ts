import { expect, it, onTestFinished } from 'vitest';
import { openSqliteFixture } from '../storage/sqlite/sqlite-store.fixture.js';
import { setUp } from '../sync-handler.fixture.js';
import type { RecordChange } from './record-change.js';

const site = (recordId: string | number, parts: Partial<RecordChange> = {}): RecordChange => ({
  objectName: 'site',
  recordId,
  operation: 'create',
  data: { name: `Site ${recordId}` },
  ...parts,
});

it('takes many writes past sync as one commit, and tells devices of each in the order they were given', async () => {
  const { handler, store, pull } = setUp();
  await handler.recordChange(site('s1'));
  const heads: number[] = [];
  store.onCommit((head) => heads.push(head));
  const room: RecordChange = { objectName: 'room', recordId: 1, operation: 'create', data: { of: 's2' } };
  const recorded = await handler.recordChanges([site('s2'), room, site('s3'), site('s1', { operation: 'delete' })]);
  expect(recorded.map(({ serverVersion }) => serverVersion)).toEqual([1, 1, 1, 2]);
  await expect.poll(() => heads).toEqual([5]);
  const changes = (await pull()).serverChanges.map(({ recordId, operation }) => `${operation} ${recordId}`);
  expect(changes).toEqual(['create s2', 'create 1', 'create s3', 'delete s1']);
});

it('takes changes of one record in their order, and no version for what changes nothing', async () => {
  const { handler, pull } = setUp();
  const changes = [
    site('s1', { data: { name: 'Mill' } }),
    site('s1', { operation: 'update', data: { name: 'Mill' } }),
    site('s1', { operation: 'update', data: { city: 'Ulm' } }),
    site('s2'),
    site('s2', { operation: 'delete', data: undefined }),
    site('s3', { operation: 'delete', data: undefined }),
  ];
  expect((await handler.recordChanges(changes)).map(({ serverVersion }) => serverVersion)).toEqual([1, 1, 2, 1, 2, 0]);
  const { serverChanges } = await pull();
  expect(serverChanges).toMatchObject([
    { recordId: 's1', serverVersion: 2, data: { name: 'Mill', city: 'Ulm' } },
    { recordId: 's2', serverVersion: 2, operation: 'delete' },
  ]);
  expect(await handler.recordChanges(changes.slice(0, 3))).toEqual(Array(3).fill({ serverVersion: 2 }));
  expect(await handler.recordChanges([])).toEqual([]);
});

it.each([
  ['malformed', { operation: 'upsert' as never }, /^TypeError: recordChanges: change 1: operation /],
  [
    'too large',
    { data: { text: 'x'.repeat(300) } },
    /^RangeError: recordChanges: change 1: this site is larger than 300/,
  ],
  ['of another object', { objectName: 'note' }, /^TypeError: recordChanges: change 1: note is not synced here\./],
])('takes none of them when one is %s, and says which', async (_what, parts, problem) => {
  const fixture = await openSqliteFixture();
  onTestFinished(() => fixture.remove());
  const objects = { site: { enabled: true } };
  const { handler, pull } = setUp({ store: fixture.store, objects, limits: { maxRecordBytes: 300 } });
  const failure = await handler.recordChanges([site('s1'), site('s2', parts), site('s3')]).catch(String);
  expect(failure).toMatch(problem);
  expect((await pull()).serverChanges).toEqual([]);
});

it('refuses more than one transaction should hold', async () => {
  const { handler, pull } = setUp({ limits: { maxRecordBytes: 40 * 1024 * 1024 } });
  const tooMany = Array.from({ length: 10_001 }, (_, index) => site(index));
  await expect(handler.recordChanges(tooMany)).rejects.toThrow(
    'recordChanges: 10001 changes are more than 10000. Pass them in parts.',
  );
  const large = (mebibytes: number) => ({ data: { text: 'x'.repeat(mebibytes * 1024 * 1024) } });
  await expect(handler.recordChanges([site('s1', large(20)), site('s2', large(20))])).rejects.toThrow(
    'recordChanges: the records are more than 33554432 bytes. Pass them in parts.',
  );
  await expect(handler.recordChanges({} as never)).rejects.toThrow('recordChanges: pass a list of changes.');
  expect((await pull()).serverChanges).toEqual([]);
  expect(await handler.recordChange(site('s1', large(35)))).toEqual({ serverVersion: 1 });
  expect(await handler.recordChanges(tooMany.slice(1))).toHaveLength(10_000);
});
