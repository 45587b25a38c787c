import { expect, it } from 'vitest';
import { inTime } from './in-time.js';
import { TestClock } from './test-clock.js';

const giveUp = () => new Error('too late');

it.each([
  { ends: 'resolves', work: () => Promise.resolve('done') },
  { ends: 'rejects', work: () => Promise.reject(new Error('failed')) },
])('settles as what $ends in time, with no timer left by then', async ({ work }) => {
  const platform = new TestClock();
  let armed: number | undefined;
  const settled = inTime(work(), { timeoutMs: 10, platform }, giveUp).finally(() => {
    armed = platform.armed;
  });
  expect(await Promise.allSettled([settled])).toEqual(await Promise.allSettled([work()]));
  expect(armed).toBe(0);
});

it('gives up what takes longer, and hears no failure of it any more', async () => {
  const platform = new TestClock();
  let fail: (error: Error) => void = () => {};
  const work = new Promise<never>((_, reject) => {
    fail = reject;
  });
  const given = expect(inTime(work, { timeoutMs: 10, platform }, giveUp)).rejects.toThrow('too late');
  await platform.advance(10);
  await given;
  // A rejection that nobody handles would fail the run.
  fail(new Error('failed later'));
  await platform.advance(0);
});
