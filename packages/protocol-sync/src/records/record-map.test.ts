import { expect, it } from 'vitest';
import { RecordMap, RecordSet } from './record-map.js';

const task = (recordId: string | number) => ({ objectName: 'task', recordId });

it('forgets one record and no other of its object', () => {
  const map = new RecordMap<string>();
  for (const recordId of ['a', 'b']) map.set(task(recordId), recordId);
  map.set({ objectName: 'note', recordId: 'a' }, 'note');
  map.delete(task('a'));
  map.delete(task('absent'));
  expect([[...map.values()], map.has(task('a')), map.get(task('b'))]).toEqual([['b', 'note'], false, 'b']);
});

it('knows what it has, a number and its text apart', () => {
  const set = new RecordSet();
  const isNew = [set.add(task(1)), set.add(task('1')), set.add(task(1))];
  expect([isNew, set.has(task('1')), set.has(task(2)), set.has({ objectName: 'note', recordId: 1 })]).toEqual([
    [true, true, false],
    true,
    false,
    false,
  ]);
});
