import { expect, test } from 'vitest';
import { sqliteError } from './sqlite-database.js';

test('reads what went wrong off the errors of every driver, also where they say more of it', () => {
  const byName = ['SQLITE_BUSY', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_CORRUPT_INDEX', 'SQLITE_FULL', 'SQLITE_NOTADB'];
  // The same of `node:sqlite`, which tells numbers.
  const byNumber = [5, 517, 779, 13, 26];
  const codes = ['LOCKED', 'LOCKED', 'DAMAGED', 'FULL', 'DAMAGED'];
  expect(byName.map((code) => sqliteError(Object.assign(new Error(), { code })).code)).toEqual(codes);
  const node = { code: 'ERR_SQLITE_ERROR' };
  expect(byNumber.map((errcode) => sqliteError({ ...node, errcode }).code)).toEqual(codes);
  const others = [new Error('SQLITE_FULL'), { code: 'SQLITE_READONLY' }, { ...node, errcode: 1 }, 'SQLITE_FULL', null];
  expect(others.map((error) => sqliteError(error).code)).toEqual(others.map(() => 'FAILED'));
});
