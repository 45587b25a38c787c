/** A lock that one process holds; another takes it over when that process has died. */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { systemPlatform } from '../../platform/system-platform.js';
import { StorageError } from '../storage-error.js';
import { hasErrno, unlessErrno } from './errno.js';

/**
 * Takes the lock file at `path`; the returned function releases it. Throws `LOCKED` while another live process holds
 * it, or this one already does. A process of another machine always counts as live, as nobody here can tell.
 */
export async function takeFileLock(path: string): Promise<() => Promise<void>> {
  const owner: Owner = {
    pid: process.pid,
    started: await processStart(process.pid),
    host: hostname(),
    lockId: systemPlatform.newId(),
  };
  const text = JSON.stringify(owner);
  const draft = `${path}.${owner.lockId}`;
  try {
    // On a full disk the file is created but stays empty, so it is removed then, too.
    await writeFile(draft, text, { flag: 'wx', mode: 0o600 });
    await install(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return () => release(path, text);
}

interface Owner {
  readonly pid: number;
  /** When the process started, in kernel ticks; `''` if unknown. Pids are reused, above all in containers. */
  readonly started: string;
  readonly host: string;
  readonly lockId: string;
}

/** Makes the draft the lock, if there is none or its owner is dead. */
async function install(draft: string, path: string): Promise<void> {
  // A lock that vanishes between two looks was just released; that cannot go on for ever.
  for (let turn = 0; turn < 10; turn++) {
    // A link has the content from the start, so nobody ever reads half a lock.
    const isFree = await unlessErrno(
      'EEXIST',
      link(draft, path).then(() => true),
    );
    if (isFree) return;
    const found = await unlessErrno('ENOENT', readFile(path, 'utf8'));
    if (found !== undefined && (await replaceDead(draft, { path, found }))) return;
  }
  throw new StorageError('LOCKED', `Several processes fight for ${path}. Let one of them open the storage at a time.`);
}

/**
 * Replaces the lock of a dead process. A lock of its own, named after the dead one, settles who may do so: otherwise
 * two processes that found the same dead lock would replace each other's. False when another process was faster.
 */
async function replaceDead(draft: string, { path, found }: { path: string; found: string }): Promise<boolean> {
  const owner = parseOwner(found, path);
  if (await isAlive(owner)) throw lockedError(path, owner);
  const unlock = await takeFileLock(`${path}.${owner.lockId}`);
  try {
    if ((await unlessErrno('ENOENT', readFile(path, 'utf8'))) !== found) return false;
    await rename(draft, path);
    return true;
  } finally {
    await unlock();
  }
}

function parseOwner(text: string, path: string): Owner {
  const owner = parseJson(text);
  if (isOwner(owner)) return owner;
  throw new StorageError('LOCKED', `${path} is not a lock of this library. Delete it if nothing has the storage open.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Text that is no JSON is no lock either.
    return undefined;
  }
}

function isOwner(value: unknown): value is Owner {
  const { pid, started, host, lockId } = Object(value) as Readonly<Record<string, unknown>>;
  const isNamed = typeof started === 'string' && typeof host === 'string' && typeof lockId === 'string';
  // The id becomes part of a file's name.
  return isNamed && Number.isSafeInteger(pid) && /^[\w-]+$/.test(lockId);
}

async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it is alive and belongs to another user.
    if (hasErrno(error, 'ESRCH')) return false;
  }
  const started = await processStart(owner.pid);
  if (started === ENDED) return false;
  return owner.started === '' || started === '' || owner.started === started;
}

/** Field 22 of Linux's `/proc/<pid>/stat`; the second field, in brackets, may contain anything, even spaces. */
async function processStart(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return /[ZX]/.test(state) ? ENDED : (fields[18] ?? '');
}

/** A killed process keeps its pid until its parent reaps it, which the first process of a container may never do. */
const ENDED = 'ended';

async function release(path: string, text: string): Promise<void> {
  const found = await unlessErrno('ENOENT', readFile(path, 'utf8'));
  if (found === text) await rm(path, { force: true });
}

function lockedError(path: string, { pid, host }: Owner): StorageError {
  return new StorageError(
    'LOCKED',
    `The storage is open in process ${pid} on ${host}. Close it there first. Where that is another program by now, or the machine is gone for good, delete ${path}.`,
  );
}
