import { expect, test } from 'vitest';
import { TestPlatform } from './platform/test-platform.js';
import { settleWithin } from './settle-within.js';

test('gives what comes in time, and leaves no timer behind', async () => {
  const platform = new TestPlatform();
  const settled = await settleWithin(Promise.resolve(7), { timeoutMs: 100, platform });
  expect([settled, platform.pendingTimersMs]).toEqual([{ inTime: true, value: 7 }, []]);
});

test('stops waiting when the time is over', async () => {
  const platform = new TestPlatform();
  const settled = settleWithin(new Promise(() => {}), { timeoutMs: 100, platform });
  await platform.advance(100);
  expect(await settled).toEqual({ inTime: false });
});

test('rejects with what rejects in time', async () => {
  const platform = new TestPlatform();
  const settled = settleWithin(Promise.reject(new Error('no')), { timeoutMs: 100, platform });
  await expect(settled).rejects.toThrow('no');
});
