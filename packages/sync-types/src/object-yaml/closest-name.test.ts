import { expect, test } from 'vitest';
import { closestName } from './closest-name.js';

const KEYS = ['enabled', 'strategy', 'debounce_ms', 'batch_size', 'conflict_fields'];

test('finds the name behind a slip of the fingers, another case or another separator', () => {
  const guesses = ['stratgey', 'Enabled', 'debounceMs', 'batch-size', 'conflictfield'].map((written) =>
    closestName(written, KEYS),
  );
  expect(guesses).toEqual(['strategy', 'enabled', 'debounce_ms', 'batch_size', 'conflict_fields']);
});

test('guesses nothing for a name that is like none', () => {
  expect(closestName('colour', KEYS)).toBeUndefined();
  expect(closestName('', KEYS)).toBeUndefined();
  expect(closestName('strategy', [])).toBeUndefined();
});
