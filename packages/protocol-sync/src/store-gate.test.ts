import { expect, it } from 'vitest';
import { StoreBusyError } from './storage/sync-store.js';
import { StoreGate } from './store-gate.js';
import { SyncRequestError } from './sync-request-error.js';

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
  expect(await Promise.all([gate.serve(async () => 'a'), gate.serve(async () => 'b'), gate.open()])).toEqual([
    'a',
    'b',
    undefined,
  ]);
  expect(told).toEqual(['open']);
});

it('opens the store at the next request when it did not open at this one', async () => {
  const { gate, told } = setUp(1);
  await expect(gate.serve(async () => 'a')).rejects.toThrow('The database is down.');
  expect([await gate.serve(async () => 'b'), told]).toEqual(['b', ['open', 'open']]);
});

it('refuses as busy, with a time to come again, what meets a busy store or is served while it closes', async () => {
  const { gate, told } = setUp();
  const refusals = [
    gate.serve(async () => {
      throw new StoreBusyError('Others are faster.');
    }),
    gate.serve(async () => {
      await gate.close();
      throw new Error('The store is not open.');
    }),
  ];
  for (const refused of refusals) {
    const error = await refused.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SyncRequestError);
    expect(error).toMatchObject({ code: 'BUSY', retryAfterMs: expect.any(Number) });
  }
  await expect(gate.open()).rejects.toMatchObject({ code: 'BUSY' });
  expect(told).toEqual(['open', 'close']);
});

it('passes on every other failure as it is', async () => {
  const { gate } = setUp();
  const error = new TypeError('A mistake of the application.');
  await expect(gate.serve(() => Promise.reject(error))).rejects.toBe(error);
});
