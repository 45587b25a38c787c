import { expect, onTestFinished, test, vi } from 'vitest';
import { systemPlatform } from './system-platform.js';

test('makes UUIDv7 ids that sort in the order they were made', () => {
  const ids = Array.from({ length: 1000 }, () => systemPlatform.newId());
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(1000);
  expect(ids[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test('tells the time and draws random numbers', () => {
  expect(Math.abs(systemPlatform.now() - Date.now())).toBeLessThan(1000);
  expect(systemPlatform.random()).toBeLessThan(1);
});

test('runs a timer once', async () => {
  let runs = 0;
  await new Promise<void>((resolve) => {
    systemPlatform.setTimer(() => {
      runs++;
      resolve();
    }, 0);
  });
  expect(runs).toBe(1);
});

test('never runs a timer that was cancelled', async () => {
  const ran: string[] = [];
  const cancel = systemPlatform.setTimer(() => ran.push('cancelled'), 0);
  cancel();
  await new Promise<void>((resolve) => {
    systemPlatform.setTimer(() => {
      ran.push('later');
      resolve();
    }, 1);
  });
  expect(ran).toEqual(['later']);
});

test('waits with a delay that is longer than a timer can count', async () => {
  const ran: string[] = [];
  const cancel = systemPlatform.setTimer(() => ran.push('too early'), Number.MAX_SAFE_INTEGER);
  await new Promise<void>((resolve) => {
    systemPlatform.setTimer(resolve, 2);
  });
  cancel();
  expect(ran).toEqual([]);
});

test('asks for no negative delay, of which newer versions of Node warn, when the time is past', () => {
  const asked = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => asked.mockRestore());
  systemPlatform.setTimer(() => {}, -5)();
  expect(asked.mock.calls.map(([, delayMs]) => delayMs)).toEqual([0]);
});

test('counts as online where the device knows nothing of its network, and announces nothing', () => {
  const heard: boolean[] = [];
  const stop = systemPlatform.onConnectivity((online) => heard.push(online));
  stop();
  expect([systemPlatform.isOnline(), heard]).toEqual([true, []]);
});

test('runs a timer soon after a sleep that was longer than it, though timers stand still in a sleep', () => {
  vi.useFakeTimers({ now: 0 });
  onTestFinished(() => void vi.useRealTimers());
  let runs = 0;
  systemPlatform.setTimer(() => runs++, 3_600_000);
  vi.advanceTimersByTime(60_000);
  vi.setSystemTime(7 * 24 * 3_600_000);
  const before = runs;
  vi.advanceTimersByTime(10_000);
  expect([before, runs, vi.getTimerCount()]).toEqual([0, 1, 0]);
});

test('keeps a delay when the clock is set back', () => {
  vi.useFakeTimers({ now: 7 * 24 * 3_600_000 });
  onTestFinished(() => void vi.useRealTimers());
  let runs = 0;
  systemPlatform.setTimer(() => runs++, 60_000);
  vi.setSystemTime(0);
  vi.advanceTimersByTime(59_999);
  const before = runs;
  vi.advanceTimersByTime(1);
  expect([before, runs]).toEqual([0, 1]);
});

test('I13 asks for a try once a minute while the device says that it has no network, which some say that have one', () => {
  vi.useFakeTimers();
  vi.stubGlobal('navigator', { onLine: false });
  const events = new EventTarget();
  vi.stubGlobal('addEventListener', events.addEventListener.bind(events));
  onTestFinished(() => void vi.useRealTimers());
  onTestFinished(() => void vi.unstubAllGlobals());
  const heard: boolean[] = [];
  const stop = systemPlatform.onConnectivity((online) => heard.push(online));
  vi.advanceTimersByTime(150_000);
  const asked = heard.splice(0);
  vi.stubGlobal('navigator', { onLine: true });
  events.dispatchEvent(new Event('online'));
  vi.advanceTimersByTime(600_000);
  const online = heard.splice(0);
  vi.stubGlobal('navigator', { onLine: false });
  events.dispatchEvent(new Event('offline'));
  vi.advanceTimersByTime(60_000);
  stop();
  expect([asked, online, heard, vi.getTimerCount()]).toEqual([[true, true], [true], [false, true], 0]);
});

test('follows the network where the device knows it, and whether it is looked at', () => {
  const [events, page] = [new EventTarget(), new EventTarget()];
  const navigator = { onLine: false };
  const names = ['navigator', 'addEventListener', 'removeEventListener', 'document'];
  const before = names.map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const);
  const define = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  define('navigator', navigator);
  define('addEventListener', events.addEventListener.bind(events));
  define('removeEventListener', events.removeEventListener.bind(events));
  define('document', Object.assign(page, { visibilityState: 'visible' }));
  const look = (visibilityState: string) => {
    Object.assign(page, { visibilityState });
    page.dispatchEvent(new Event('visibilitychange'));
  };
  try {
    const heard: boolean[] = [];
    const stop = systemPlatform.onConnectivity((online) => heard.push(online));
    navigator.onLine = true;
    events.dispatchEvent(new Event('online'));
    navigator.onLine = false;
    events.dispatchEvent(new Event('offline'));
    look('visible');
    look('hidden');
    const isHiddenSeen = systemPlatform.isSeen?.();
    navigator.onLine = true;
    look('visible');
    stop();
    for (const name of ['online', 'offline']) events.dispatchEvent(new Event(name));
    look('visible');
    expect([systemPlatform.isOnline(), heard]).toEqual([true, [true, false, false, true]]);
    expect([isHiddenSeen, systemPlatform.isSeen?.()]).toEqual([false, true]);
  } finally {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(globalThis, name, descriptor);
      else Reflect.deleteProperty(globalThis, name);
    }
  }
});
