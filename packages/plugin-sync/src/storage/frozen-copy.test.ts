import { expect, test } from 'vitest';
import { frozen, frozenCopy } from './frozen-copy.js';

test('copies all that somebody could still change, and shares what is frozen through and through', () => {
  const whole = frozen({ list: [{ n: 1 }], none: null });
  const outside = Object.freeze({ list: [{ n: 1 }], absent: undefined });
  const copy = frozenCopy({ whole, outside });
  for (const item of outside.list) item.n = 2;
  expect(copy).toStrictEqual({ whole: { list: [{ n: 1 }], none: null }, outside: { list: [{ n: 1 }] } });
  expect(copy.whole).toBe(whole);
  const parts = [copy, copy.whole, copy.outside].flatMap((part) => [part, ...Object.values(part)]);
  for (const part of [...parts, copy.outside.list[0], whole.list[0]]) expect(Object.isFrozen(part)).toBe(true);
});
