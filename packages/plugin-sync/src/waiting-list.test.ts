import { expect, test } from 'vitest';
import { WaitingList } from './waiting-list.js';

function list() {
  const failures: unknown[] = [];
  return { failures, items: new WaitingList<{ id: string; at?: number }>('letter', (error) => failures.push(error)) };
}

test('keeps the order items came in, and replaces by id', () => {
  const { items } = list();
  items.put([{ id: 'a' }, { id: 'b' }]);
  items.put([{ id: 'a', at: 2 }]);
  expect([items.list(), items.list().length, items.find('b'), items.find('c')]).toEqual([
    [{ id: 'a', at: 2 }, { id: 'b' }],
    2,
    { id: 'b' },
    undefined,
  ]);
});

test('tells subscribers now, after a put and after a decision, and nobody after they stopped', async () => {
  const { items } = list();
  const told: string[] = [];
  const stop = items.subscribe((all) => void told.push(all.map(({ id }) => id).join()));
  items.put([{ id: 'a' }, { id: 'b' }]);
  items.put([]);
  await items.decide('a', async () => undefined);
  stop();
  await items.decide('b', async () => undefined);
  expect(told).toEqual(['', 'a,b', 'b']);
});

test('takes an item off only when the decision is durable, and decides it once at a time', async () => {
  const { items } = list();
  items.put([{ id: 'a' }]);
  await expect(items.decide('a', () => Promise.reject(new Error('full')))).rejects.toThrow('full');
  const first = items.decide('a', async ({ id }) => id);
  await expect(items.decide('a', async () => 'twice')).rejects.toThrow('There is no letter with the id a to decide.');
  expect([await first, items.list().length]).toEqual(['a', 0]);
});
