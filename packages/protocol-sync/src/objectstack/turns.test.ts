import { expect, it } from 'vitest';
import { Turns } from './turns.js';

/** Turns whose time the test ends. */
function setUp() {
  const timers = new Set<() => void>();
  const turns = new Turns({
    setTimer(work) {
      timers.add(work);
      return () => void timers.delete(work);
    },
  });
  return { turns, runTimers: () => [...timers].forEach((work) => void work()), timers };
}

it('runs one after the other, also after one that fails', async () => {
  const { turns, timers } = setUp();
  const transcript: string[] = [];
  const work = (name: string) => async () => {
    transcript.push(`${name} begins`);
    await Promise.resolve();
    transcript.push(`${name} ends`);
    if (name === 'a') throw new Error('a fails');
    return name;
  };
  const all = await Promise.allSettled(['a', 'b'].map((name) => turns.take(work(name))));
  expect(all).toMatchObject([{ reason: { message: 'a fails' } }, { value: 'b' }]);
  expect(transcript).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
  expect(timers.size).toBe(0);
});

it('runs nothing that has waited too long, and everything behind it', async () => {
  const { turns, runTimers } = setUp();
  let goOn = () => {};
  const ran: string[] = [];
  const paused = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const first = turns.take(() => paused);
  const late = turns.take(async () => void ran.push('late'));
  await Promise.resolve();
  runTimers();
  await expect(late).rejects.toMatchObject({ name: 'StoreBusyError' });
  const next = turns.take(async () => void ran.push('next'));
  goOn();
  await Promise.all([first, next]);
  expect(ran).toEqual(['next']);
});

it('I13 gives the turn on when its work does not end, and tells what came of it all the same', async () => {
  const { turns, runTimers, timers } = setUp();
  let answer = (_text: string) => {};
  const silent = turns.take(
    () =>
      new Promise<string>((resolve) => {
        answer = resolve;
      }),
  );
  await Promise.resolve();
  runTimers();
  expect(await turns.take(async () => 'next')).toBe('next');
  answer('late');
  expect([await silent, timers.size]).toEqual(['late', 0]);
});
