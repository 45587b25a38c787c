/** Who watches records is told of each change, of no other, and once. */
import { expect, test, vi } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { device } from '../fixtures/device.js';
import { applies, appliesWith, change, losesAnswer } from '../fixtures/scripted-server.js';
import { turns } from '../fixtures/turns.js';

test('tells a subscriber the list now and after each change, the unchanged records being the same objects', async () => {
  const platform = new TestPlatform();
  platform.setOnline(false); // so that it asks for nothing by itself
  const { tasks } = device({ otherwise: appliesWith({ serverChanges: [change('t9')] }), platform });
  tasks.records.create('t1', { title: 'one' });
  const told: (readonly { readonly recordId: unknown; readonly data: object }[])[] = [];
  const stop = tasks.records.subscribe((records) => void told.push(records));
  await platform.advance(0);
  tasks.records.create('t2', { title: 'two' });
  tasks.records.create('t3', { title: 'three' });
  await platform.advance(0);
  stop();
  await tasks.sync();
  await platform.advance(0);
  expect(told.map((records) => records.map(({ recordId }) => recordId))).toEqual([['t1'], ['t1', 't2', 't3']]);
  expect(told[0]?.[0]).toBe(told[1]?.[0]);
});

test('puts a list in order once: each later change costs one look at each record', async () => {
  const platform = new TestPlatform();
  platform.setOnline(false); // so that it asks for nothing by itself
  const { tasks } = device({ platform });
  // As a first sync brings them, in no order of their ids.
  for (let n = 0; n < 1000; n++) tasks.records.create((n * 389) % 1000, {});
  let told: readonly { readonly recordId: unknown }[] = [];
  const stop = tasks.records.subscribe((records) => {
    told = records;
  });
  await platform.advance(0);
  let comparisons = 0;
  const { sort } = Array.prototype;
  const spy = vi.spyOn(Array.prototype, 'sort').mockImplementation(function (this: unknown[], compare) {
    return sort.call(this, (a: unknown, b: unknown) => {
      comparisons += 1;
      return compare?.(a, b) ?? 0;
    });
  });
  await tasks.records.update(7, { title: 'new' });
  await platform.advance(0);
  spy.mockRestore();
  stop();
  expect(told.map(({ recordId }) => recordId)).toEqual(Array.from({ length: 1000 }, (_, n) => n));
  expect(comparisons).toBeLessThan(1100);
});

test('tells a subscriber of one record that record only', async () => {
  const platform = new TestPlatform();
  platform.setOnline(false); // so that it asks for nothing by itself
  const { tasks } = device({ script: [applies, appliesWith({ serverChanges: [change('t1', 3, null)] })], platform });
  const told: unknown[] = [];
  tasks.records.subscribe('t1', (record) => void told.push(record && [record.data.title, record.isPending]));
  await platform.advance(0);
  tasks.records.create('t2', { title: 'other' });
  await platform.advance(0);
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(0);
  await tasks.sync();
  await platform.advance(0);
  await tasks.sync();
  await platform.advance(0);
  expect(told).toEqual([undefined, ['one', true], ['one', false], undefined]);
});

test('tells every subscriber after a walk has dropped records', async () => {
  const { tasks, platform } = device({
    script: [
      appliesWith({ serverChanges: [change('t1'), change('t2')] }),
      appliesWith({ reset: 'expired', serverChanges: [change('t1')] }),
    ],
  });
  await tasks.sync();
  const lists: unknown[] = [];
  const second: unknown[] = [];
  tasks.records.subscribe((records) => void lists.push(records.map(({ recordId }) => recordId)));
  tasks.records.subscribe('t2', (record) => void second.push(record?.recordId));
  await platform.advance(0);
  await tasks.sync();
  await platform.advance(0);
  expect([lists, second]).toEqual([
    [['t1', 't2'], ['t1']],
    ['t2', undefined],
  ]);
});

test('tells of no server change that would overwrite a pending edit', async () => {
  const { tasks, platform } = device({
    script: [
      appliesWith({ serverChanges: [change('t1', 1, { title: 'Old', status: 'new' })], checkpoint: 'a' }),
      losesAnswer,
    ],
  });
  const { records } = tasks;
  const titles: unknown[] = [];
  await tasks.sync();
  records.subscribe('t1', (record) => {
    if (record?.data.title !== titles.at(-1)) titles.push(record?.data.title);
  });
  await platform.advance(0);
  await records.update('t1', { title: 'Mine' });
  await tasks.sync();
  await platform.advance(60_000);
  expect(titles).toEqual(['Old', 'Mine']);
});

test('tells the list once however many changes come in one turn', async () => {
  const { tasks, platform } = device();
  const { records } = tasks;
  let calls = 0;
  records.subscribe(() => {
    calls += 1;
  });
  await platform.advance(0);
  calls = 0;
  for (let index = 0; index < 500; index++) records.create(`t${index}`, { title: 'x' });
  await turns(51);
  expect(calls).toBe(1);
});
