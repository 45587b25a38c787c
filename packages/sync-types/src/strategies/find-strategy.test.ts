import { expect, test } from 'vitest';
import { crdt } from './crdt.js';
import { findStrategy } from './find-strategy.js';
import { lastWriteWins } from './last-write-wins.js';
import { manual } from './manual.js';
import type { Strategy } from './strategy.js';
import type { StrategyName } from './strategy-name.js';

test('gives each name its strategy, and a function itself', () => {
  const custom: Strategy = () => ({ do: 'keep' });
  const found = (['last-write-wins', 'crdt', 'manual', custom] as const).map(findStrategy);
  expect(found).toEqual([lastWriteWins, crdt, manual, custom]);
});

test('refuses a name that is none, also one that every object inherits, and lists those that are', () => {
  // Names from JavaScript or from a file that nobody checked.
  const unchecked = ['merge', 'constructor', '__proto__'] as unknown as StrategyName[];
  for (const name of unchecked) {
    expect(() => findStrategy(name)).toThrow(
      `"${name}" is not a conflict strategy. Use last-write-wins, crdt, manual or a function.`,
    );
  }
});
