import { expect, it } from 'vitest';
import { RecordSet } from './record-set.js';

const task = (recordId: string | number) => ({ objectName: 'task', recordId });

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
