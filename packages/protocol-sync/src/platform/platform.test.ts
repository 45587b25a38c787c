import { expect, onTestFinished, test, vi } from 'vitest';
import { systemPlatform } from './platform.js';

test('asks for no negative delay, of which newer versions of Node warn, when the time is past', () => {
  const asked = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => asked.mockRestore());
  systemPlatform.setTimer(() => {}, -5)();
  expect(asked.mock.calls.map(([, delayMs]) => delayMs)).toEqual([0]);
});

test.each([Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER, 2 ** 31])(
  'waits as long as timers can where it is asked to wait %d ms, which they would take for none',
  (delayMs) => {
    const asked = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => asked.mockRestore());
    systemPlatform.setTimer(() => {}, delayMs)();
    expect(asked.mock.calls.map(([, asked]) => asked)).toEqual([2 ** 31 - 1]);
  },
);
