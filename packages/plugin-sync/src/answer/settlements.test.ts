import { expect, test } from 'vitest';
import type { MutationOutcome } from './mutation-outcome.js';
import { Settlements } from './settlements.js';

const applied = (version: number, droppedFields: readonly string[] = []): MutationOutcome => ({
  status: 'applied',
  version,
  droppedFields,
});

test('tells everybody who waits, and those who ask a moment later', async () => {
  const settlements = new Settlements();
  const waiting = [settlements.wait('m1'), settlements.wait('m1')];
  settlements.settle('m1', applied(3));
  expect([await Promise.all(waiting), settlements.recall('m1')]).toEqual([[applied(3), applied(3)], applied(3)]);
});

test('gives a mutation the outcome of the one that took its place, with all the fields that were dropped on the way', async () => {
  const settlements = new Settlements();
  const waiting = settlements.wait('m1');
  settlements.replace('m1', 'm2', ['title']);
  settlements.replace('m2', 'm3', ['status', 'title']);
  const whileReplaced = settlements.isReplaced('m1');
  settlements.settle('m3', applied(9, ['due']));
  expect([await waiting, whileReplaced, settlements.isReplaced('m1')]).toEqual([
    applied(9, ['title', 'status', 'due']),
    true,
    false,
  ]);
});

test('gives several mutations the outcome of the one that took the place of all', async () => {
  const settlements = new Settlements();
  const waiting = [settlements.wait('m1'), settlements.wait('m2')];
  settlements.replace('m1', 'm3', []);
  settlements.replace('m2', 'm3', []);
  settlements.settle('m3', applied(2));
  expect(await Promise.all(waiting)).toEqual([applied(2), applied(2)]);
});

test('rejects those who wait when nothing will be settled any more', async () => {
  const settlements = new Settlements();
  const waiting = settlements.wait('m1');
  settlements.isOver = true;
  for (const id of settlements.awaited()) settlements.tell(id);
  await expect(waiting).rejects.toMatchObject({ name: 'SyncUsageError', code: 'CLOSED' });
});

test('rejects those who wait for a mutation whose successor nobody will hear of', async () => {
  const settlements = new Settlements();
  const waiting = settlements.wait('m1');
  settlements.replace('m1', 'm2', []);
  settlements.tell('m2');
  await expect(waiting).rejects.toMatchObject({ name: 'SyncUsageError', code: 'UNKNOWN_ID' });
  expect([settlements.isReplaced('m1'), settlements.awaited()]).toEqual([false, []]);
});

test('remembers the last outcomes only', () => {
  const settlements = new Settlements();
  for (let index = 0; index <= 2000; index++) settlements.settle(`m${index}`, applied(1));
  expect(['m0', 'm999', 'm1000', 'm2000'].map((id) => settlements.recall(id))).toEqual([
    undefined,
    undefined,
    applied(1),
    applied(1),
  ]);
});
