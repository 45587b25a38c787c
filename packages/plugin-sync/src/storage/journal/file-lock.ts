/** A lock that one process holds, taken over from a process that died with it. */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { systemPlatform } from '../../platform/system-platform.js';
import { StorageError } from '../storage-error.js';
import { hasErrno, unlessErrno } from './errno.js';

/**
 * Takes the lock file at `path`; the answer gives it free. Throws `LOCKED` while another live process holds it, or this
 * one does already. A process of another machine always counts as live, as nobody here can tell.
 */
export async function takeFileLock(path: string): Promise<() => Promise<void>> {
  const owner: Owner = {
    pid: process.pid,
    started: await processStart(process.pid),
    host: hostname(),
    lockId: systemPlatform.newId(),
  };
  const text = JSON.stringify(owner);
  // Each turn meets another state of a race with other processes; one of them wins within a few.
  for (let turn = 0; turn < 10; turn++) {
    if (await create(path, owner)) return () => release(path, text);
    const found = await unlessErrno('ENOENT', readFile(path, 'utf8'));
    if (found === undefined) continue;
    const other = JSON.parse(found) as Owner;
    if (await isAlive(other)) throw lockedError(path, other);
    await removeStale(path, found, owner.lockId);
  }
  throw new StorageError('LOCKED', `Several processes fight for ${path}. Let one of them open the storage at a time.`);
}

interface Owner {
  readonly pid: number;
  /** When the process started, in the kernel's ticks; `''` where that is not told. Pids are used again, above all in containers. */
  readonly started: string;
  readonly host: string;
  readonly lockId: string;
}

/** Creates the lock with its content in one step, so that nobody ever reads half of it. False when there is one. */
async function create(path: string, owner: Owner): Promise<boolean> {
  const draft = `${path}.${owner.lockId}`;
  await writeFile(draft, JSON.stringify(owner), { flag: 'wx', mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false;
    throw error;
  } finally {
    await rm(draft);
  }
}

async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    if (hasErrno(error, 'ESRCH')) return false;
  }
  const started = await processStart(owner.pid);
  return owner.started === '' || started === '' || owner.started === started;
}

/** Field 22 of Linux's `/proc/<pid>/stat`; the second field, in brackets, may hold anything, also spaces. */
async function processStart(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Moves the lock away and looks again: in between another process may have taken it over and be alive. */
async function removeStale(path: string, stale: string, lockId: string): Promise<void> {
  const aside = `${path}.${lockId}.stale`;
  if (
    (await unlessErrno(
      'ENOENT',
      rename(path, aside).then(() => true),
    )) === undefined
  )
    return;
  const moved = await readFile(aside, 'utf8');
  if (moved !== stale) await unlessErrno('EEXIST', link(aside, path));
  await rm(aside);
}

async function release(path: string, text: string): Promise<void> {
  const found = await unlessErrno('ENOENT', readFile(path, 'utf8'));
  if (found === text) await rm(path, { force: true });
}

function lockedError(path: string, { pid, host }: Owner): StorageError {
  return new StorageError(
    'LOCKED',
    `The storage is open in process ${pid} on ${host}. Close it there first; if that machine is gone for good, delete ${path}.`,
  );
}
