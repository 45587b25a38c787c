import { link, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../../test/fixtures/temporary-directory.js';
import { nodeDisk } from './node-disk.js';

test('writes where it is told, cuts off, replaces and removes files, and leaves none open', async () => {
  const directory = await temporaryDirectory();
  const path = join(directory, 'file');
  /** How many files this process holds open, where the system tells. */
  const openFiles = async () => (await readdir('/proc/self/fd').catch(() => [])).length;
  const before = await openFiles();
  const aside = await nodeDisk.create(`${path}.new`);
  await aside.write(Buffer.from('abcdef'), 0);
  await aside.write(Buffer.from('XY'), 2);
  await aside.truncate(5);
  await aside.sync();
  await aside.close();
  await nodeDisk.rename(`${path}.new`, path);
  await nodeDisk.syncDirectoryOf(path);
  const file = await nodeDisk.open(path);
  await file.write(Buffer.from('Z'), 4);
  await file.close();
  expect(await openFiles()).toBe(before);
  expect(String(await nodeDisk.read(path))).toBe('abXYZ');
  for (const _ of ['there', 'absent']) await nodeDisk.remove(path);
  expect([await nodeDisk.read(path), await readdir(directory)]).toEqual([undefined, []]);
});

test('writes nothing any more once a write has failed', async () => {
  // There a file that is open keeps its name.
  if (process.platform === 'win32') return;
  const directory = await temporaryDirectory();
  const [path, otherName] = [join(directory, 'file'), join(directory, 'other')];
  const file = await nodeDisk.create(path);
  await link(path, otherName);
  await rm(path);
  // Large enough that finding the file gone takes no time beside it.
  const bytes = Buffer.alloc(64 * 1024 * 1024);
  await expect(file.write(bytes, 0)).rejects.toMatchObject({ code: 'CLEARED' });
  expect((await stat(otherName)).size).toBe(bytes.length);
  await file.close();
});
