import { expect, test } from 'vitest';
import { assertNever } from './assert-never.js';

test('names the value that no case handles', () => {
  // A value the types exclude is what this function is for.
  expect(() => assertNever('rebase' as never)).toThrow('Unhandled case "rebase". A newer peer may have sent it');
});
