import { expect, test } from 'vitest';
import { turns } from '../../test/fixtures/turns.js';
import { TestPlatform } from './test-platform.js';

test('runs timers in the order they are due, each at its own time, those set meanwhile included', async () => {
  const platform = new TestPlatform({ now: 1000 });
  const ran: [string, number][] = [];
  const note = (name: string) => () => void ran.push([name, platform.now()]);
  platform.setTimer(note('late'), 300);
  platform.setTimer(() => {
    note('early')();
    platform.setTimer(note('set meanwhile'), 100);
  }, 100);
  platform.setTimer(note('cancelled'), 150)();
  platform.setTimer(note('not yet'), 301);

  await platform.advance(300);

  expect(ran).toEqual([
    ['early', 1100],
    ['set meanwhile', 1200],
    ['late', 1300],
  ]);
  expect([platform.now(), platform.pendingTimersMs]).toEqual([1300, [1]]);
});

test('lets what a timer awaited settle before time goes on', async () => {
  const platform = new TestPlatform({ now: 0 });
  const ran: number[] = [];
  platform.setTimer(async () => {
    await turns(20);
    platform.setTimer(() => void ran.push(platform.now()), 5);
  }, 10);
  await platform.advance(100);
  expect(ran).toEqual([15]);
});

test('keeps the delay of timers when the clock is corrected', async () => {
  const platform = new TestPlatform({ now: 1000 });
  platform.setTimer(() => {}, 50);
  platform.setClock(999_000);
  expect([platform.now(), platform.pendingTimersMs]).toEqual([999_000, [50]]);
});

test('repeats ids and random numbers by its seed', () => {
  const draw = (seed: number) => {
    const platform = new TestPlatform({ seed });
    return [platform.newId(), platform.newId(), platform.random(), platform.random()];
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  expect(draw(7)[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('announces that the network came or went', () => {
  const platform = new TestPlatform();
  const heard: boolean[] = [];
  const stop = platform.onConnectivity((online) => heard.push(online));
  platform.setOnline(false);
  platform.setOnline(true);
  stop();
  platform.setOnline(false);
  expect([heard, platform.isOnline()]).toEqual([[false, true], false]);
});

test('runs what fell due in a sleep when it goes on', async () => {
  const platform = new TestPlatform({ now: 0 });
  const ran: number[] = [];
  platform.setTimer(() => void ran.push(platform.now()), 100);
  platform.sleep(5000);
  const asleep = [...ran];
  await platform.advance(0);
  expect([asleep, ran]).toEqual([[], [5000]]);
});

test('announces that somebody looks at the device again', () => {
  const platform = new TestPlatform();
  const heard: boolean[] = [];
  platform.onConnectivity((online) => heard.push(online));
  platform.wake();
  platform.setOnline(false);
  platform.wake();
  expect(heard).toEqual([true, false, false]);
});
