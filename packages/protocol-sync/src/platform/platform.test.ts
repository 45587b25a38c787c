import { expect, onTestFinished, test, vi } from 'vitest';
import { systemPlatform } from './platform.js';

test('asks for no negative delay, of which newer versions of Node warn, when the time is past', () => {
  const asked = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => asked.mockRestore());
  systemPlatform.setTimer(() => {}, -5)();
  expect(asked.mock.calls.map(([, delayMs]) => delayMs)).toEqual([0]);
});
