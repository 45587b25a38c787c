import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { StoreBusyError } from './storage/sync-store.js';
import { StoreGate } from './store-gate.js';

/** A gate, and what its store was told; `failing` tells how often it does not open. */
function setUp(failing = 0) {
  const told: string[] = [];
  const gate = new StoreGate({
    async open() {
      told.push('open');
      if (told.length <= failing) throw new Error('The database is down.');
    },
    async close() {
      told.push('close');
    },
  });
  return { gate, told };
}

it('opens the store once, however many come', async () => {
  const { gate, told } = setUp();
  await Promise.all([gate.serve(async () => {}), gate.serve(async () => {}), gate.open()]);
  expect(told).toEqual(['open']);
});

it('opens the store at the next request when it did not open at this one', async () => {
  const { gate, told } = setUp(1);
  await expect(gate.serve(async () => 'a')).rejects.toThrow('The database is down.');
  expect([await gate.serve(async () => 'b'), told]).toEqual(['b', ['open', 'open']]);
});

it.each(['opens', 'does not open'])('closes the store behind a request at which it %s', async (what) => {
  const told: string[] = [];
  let answer = () => {};
  const gate = new StoreGate({
    async open() {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      told.push(what);
      if (what === 'does not open') throw new Error('The database is down.');
    },
    async close() {
      await nextTurn();
      told.push('is closed');
    },
  });
  const opened = gate.open().catch(() => {});
  const closed = gate.close();
  await nextTurn();
  answer();
  await Promise.all([opened, closed]);
  expect(told).toEqual([what, 'is closed']);
});

it.each(['is busy', 'is closed meanwhile'])('tells clients to come again when the store %s', async (what) => {
  const { gate } = setUp();
  const served = gate.serve(async () => {
    if (what === 'is busy') throw new StoreBusyError('Others are faster.');
    await gate.close();
    throw new Error('The store is not open.');
  });
  await expect(served).rejects.toMatchObject({ code: 'BUSY', retryAfterMs: expect.any(Number) });
});

it('passes on every other failure as it is', async () => {
  const { gate } = setUp();
  const error = new TypeError('A mistake of the application.');
  await expect(gate.serve(() => Promise.reject(error))).rejects.toBe(error);
});
