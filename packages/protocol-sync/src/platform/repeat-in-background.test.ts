import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { repeatInBackground } from './repeat-in-background.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('works at once and then after each pause, until it is stopped', async () => {
  let runs = 0;
  const stop = repeatInBackground(async () => void runs++, 1000);
  const seen = [runs];
  await vi.advanceTimersByTimeAsync(999);
  seen.push(runs);
  await vi.advanceTimersByTimeAsync(2001);
  seen.push(runs);
  await stop();
  await vi.advanceTimersByTimeAsync(5000);
  expect([seen, runs, vi.getTimerCount()]).toEqual([[1, 1, 4], 4, 0]);
});

it('pauses between the end of one run and the next, and waits for the last when stopped', async () => {
  const transcript: string[] = [];
  let finish = (): void => {};
  const stop = repeatInBackground(async () => {
    transcript.push('begin');
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    transcript.push('end');
  }, 1000);
  await vi.advanceTimersByTimeAsync(5000);
  const stopping = stop().then(() => transcript.push('stopped'));
  finish();
  await stopping;
  expect([transcript, vi.getTimerCount()]).toEqual([['begin', 'end', 'stopped'], 0]);
});
