/** The disk as Node sees it. */
import { type FileHandle, mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { clearedError } from '../storage-error.js';
import type { Disk, DiskFile } from './disk.js';
import { unlessErrno } from './errno.js';
import { takeFileLock } from './file-lock.js';

/** Only the owner can read the files: they hold the user's unsent work. */
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
  create: (path) => openFile(path, 'w'),
  open: (path) => unlessCleared(path, openFile(path, 'r+')),
  remove: (path) => rm(path, { force: true }),
  rename,
  async syncDirectoryOf(path) {
    // Windows cannot open directories; NTFS keeps a rename in its own journal.
    if (process.platform === 'win32') return;
    const directory = await open(dirname(path), 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  },
};

async function openFile(path: string, flags: 'r+' | 'w'): Promise<DiskFile> {
  const file = await open(path, flags, PRIVATE);
  const { ino } = await file.stat();
  return {
    async write(bytes, position) {
      // Both at once, so that the check costs no extra time.
      const both = [writeAll(file, bytes, position), refuseOther(path, ino)];
      // Both must end: the next step, such as cutting off a failed write, must not be overtaken by this one.
      await Promise.allSettled(both);
      await Promise.all(both);
    },
    truncate: (size) => file.truncate(size),
    sync: () => file.datasync(),
    close: () => file.close(),
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    const chunk = await file.write(bytes, written, bytes.length - written, position + written);
    written += chunk.bytesWritten;
  }
}

/** What is written to a deleted file is lost with the process, and no system call fails. */
async function refuseOther(path: string, ino: number): Promise<void> {
  // Windows keeps the name of an open file.
  if (process.platform === 'win32') return;
  const named = await unlessCleared(path, stat(path));
  if (named.ino !== ino) throw clearedError(path);
}

async function unlessCleared<T>(path: string, work: Promise<T>): Promise<T> {
  const done = await unlessErrno('ENOENT', work);
  if (done === undefined) throw clearedError(path);
  return done;
}
