import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unlessErrno } from './errno.js';

test('I1 takes for missing only what is missing, and not what cannot be read', async () => {
  const missing = readFile(join(tmpdir(), 'no', 'such', 'file'));
  expect(await unlessErrno('ENOENT', missing)).toBeUndefined();
  expect(await unlessErrno('ENOENT', Promise.resolve('content'))).toBe('content');
  const directory = readFile(tmpdir());
  await expect(unlessErrno('ENOENT', directory)).rejects.toMatchObject({ code: 'EISDIR' });
  for (const thrown of [new Error('ENOENT'), { code: 'ENOENT' }, 'ENOENT', null])
    await expect(unlessErrno('ENOENT', Promise.reject(thrown))).rejects.toBe(thrown);
});
