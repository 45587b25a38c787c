import { expect, test } from 'vitest';
import { HalfJitterPlatform } from '../platform/half-jitter-platform.fixture.js';
import { Retry } from './retry.js';

test('waits twice as long after each failure, at most a minute, and as briefly as at first after a success', async () => {
  const platform = new HalfJitterPlatform();
  let tries = 0;
  const retry = new Retry(platform, () => {
    tries += 1;
  });
  const delays = Array.from({ length: 8 }, () => {
    retry.failed();
    return platform.pendingTimersMs;
  });
  expect(delays).toEqual([[500], [1000], [2000], [4000], [8000], [16_000], [30_000], [30_000]]);
  retry.succeeded();
  expect(platform.pendingTimersMs).toEqual([]);
  retry.failed();
  await platform.advance(500);
  expect(tries).toBe(1);
});

test('tries nothing any more once it is stopped, also where what is under way then fails', () => {
  const platform = new HalfJitterPlatform();
  const retry = new Retry(platform, () => {});
  retry.failed();
  retry.stop();
  const afterStop = platform.pendingTimersMs;
  retry.failed();
  expect([afterStop, platform.pendingTimersMs]).toEqual([[], []]);
});
