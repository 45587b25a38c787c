import { expect, it } from 'vitest';
import { isPlaceholderId } from './placeholder-id.js';

it.each([
  ['{current_user_id}', true],
  ['$\u007btoday}', true],
  ['{3F2504E0-4F89-11D3-9A0C-0305E82C3301}', true],
  ['{}', false],
  ['{a}b', false],
  ['{a}{b}', false],
  ['{a} ', false],
  [7, false],
])('tells an id that the engine takes for a placeholder: %j %j', (id, expected) => {
  expect(isPlaceholderId(id)).toBe(expected);
});
