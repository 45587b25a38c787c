/** The disk as Node sees it. */
import { mkdir, open, readFile, realpath, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Disk, DiskFile } from './disk.js';
import { unlessErrno } from './errno.js';
import { takeFileLock } from './file-lock.js';

/** Files are readable for their owner alone: they hold the user's unsent work. */
const PRIVATE = 0o600;

/** Node's file system. Creates the directory of a path it resolves. */
export const nodeDisk: Disk = {
  async resolve(path) {
    await mkdir(dirname(path), { recursive: true });
    const directory = await realpath(dirname(path));
    return (await unlessErrno('ENOENT', realpath(path))) ?? join(directory, basename(path));
  },
  lock: (path) => takeFileLock(`${path}.lock`),
  read: (path) => unlessErrno('ENOENT', readFile(path)),
  async open(path) {
    const file = (await unlessErrno('ENOENT', open(path, 'r+'))) ?? (await open(path, 'wx', PRIVATE));
    return {
      async write(bytes, position) {
        let written = 0;
        while (written < bytes.length) {
          const chunk = await file.write(bytes, written, bytes.length - written, position + written);
          written += chunk.bytesWritten;
        }
      },
      truncate: (size) => file.truncate(size),
      sync: () => file.datasync(),
      close: () => file.close(),
    } satisfies DiskFile;
  },
  rename,
  async syncDirectoryOf(path) {
    // Windows opens no directories; NTFS keeps a rename in its own journal.
    if (process.platform === 'win32') return;
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};
