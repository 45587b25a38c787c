import { expect, test } from 'vitest';
import { TestPlatform } from './test-platform.js';
import { waitWithin } from './wait-within.js';

const onLate = () => 'late';

test('gives what comes in time, and leaves no timer behind', async () => {
  const platform = new TestPlatform();
  const settled = await waitWithin(Promise.resolve(7), { timeoutMs: 100, platform, onLate });
  expect([settled, platform.pendingTimersMs]).toEqual([7, []]);
});

test('asks for another answer when the time is over', async () => {
  const platform = new TestPlatform();
  const settled = waitWithin(new Promise(() => {}), { timeoutMs: 100, platform, onLate });
  await platform.advance(100);
  expect(await settled).toBe('late');
});

test('rejects with what rejects in time', async () => {
  const platform = new TestPlatform();
  const settled = waitWithin(Promise.reject(new Error('no')), { timeoutMs: 100, platform, onLate });
  await expect(settled).rejects.toThrow('no');
});
