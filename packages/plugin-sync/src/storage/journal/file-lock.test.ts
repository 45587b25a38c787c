import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../../test/fixtures/eventually.js';
import { temporaryDirectory } from '../../../test/fixtures/temporary-directory.js';
import { takeFileLock } from './file-lock.js';

let directory: string;
let path: string;

beforeEach(async () => {
  directory = await temporaryDirectory();
  path = join(directory, 'sync.journal.lock');
});

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
  await once(child, 'exit');
  return child.pid ?? 0;
}

function writeLock(owner: Record<string, unknown>): Promise<void> {
  return writeFile(
    path,
    JSON.stringify({ pid: process.pid, started: '', host: hostname(), lockId: 'other', ...owner }),
  );
}

test('is held until it is given free', async () => {
  const unlock = await takeFileLock(path);
  await expect(takeFileLock(path)).rejects.toMatchObject({
    name: 'StorageError',
    code: 'LOCKED',
    message: expect.stringContaining(`open in process ${process.pid} on ${hostname()}`),
  });
  await unlock();
  const unlockAgain = await takeFileLock(path);
  await unlockAgain();
  expect(await readdir(directory)).toEqual([]);
});

test('is taken over from a process that is dead', async () => {
  await writeLock({ pid: await deadPid() });
  const unlock = await takeFileLock(path);
  expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
  await unlock();
  expect(await readdir(directory)).toEqual([]);
});

test('is taken over from a process that was killed and that no parent has asked for', async () => {
  if (process.platform !== 'linux') return;
  // The shell becomes a `sleep`, which never asks how the child of the shell ended: that one stays as a zombie.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(line);
  await writeLock({ pid });
  await expect(takeFileLock(path)).rejects.toMatchObject({ code: 'LOCKED' });
  process.kill(pid, 'SIGKILL');
  const unlock = await eventually(() => takeFileLock(path));
  expect(await readFile(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ');
  await unlock();
});

test('is taken over when the pid now belongs to a process that started at another time', async () => {
  if (process.platform !== 'linux') return;
  await writeLock({ started: '1' });
  const unlock = await takeFileLock(path);
  await unlock();
});

test('is refused while a process lives that belongs to somebody else, or on another machine', async () => {
  for (const owner of [{ pid: 1 }, { pid: await deadPid(), host: 'another-machine' }]) {
    await writeLock(owner);
    await expect(takeFileLock(path)).rejects.toMatchObject({
      code: 'LOCKED',
      // Where no start is told, as on macOS and Windows, a reboot may have given the pid to anybody.
      message: expect.stringMatching(/Where that is another program by now, or .* gone for good, delete \S+lock\.$/),
    });
  }
});

test('is taken over by one of many that find it stale at once', async () => {
  await writeLock({ pid: await deadPid() });
  const attempts = await Promise.allSettled(Array.from({ length: 20 }, () => takeFileLock(path)));
  const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  for (const winner of winners) await winner.value();
  expect(await readdir(directory)).toEqual([]);
});

test('is left to who took it over from the dead process first', async () => {
  await writeLock({ pid: await deadPid() });
  const faster = JSON.stringify({ pid: process.pid, started: '', host: hostname(), lockId: 'faster' });
  const { kill } = process;
  onTestFinished(() => void Object.assign(process, { kill }));
  // Asked whether the dead process lives, another one is done with taking over.
  process.kill = () => {
    process.kill = kill;
    writeFileSync(path, faster);
    throw Object.assign(new Error('There is no such process.'), { code: 'ESRCH' });
  };
  await expect(takeFileLock(path)).rejects.toMatchObject({ code: 'LOCKED' });
  expect([await readFile(path, 'utf8'), await readdir(directory)]).toEqual([faster, ['sync.journal.lock']]);
});

test('is taken over when a process died while it took it over from a dead one', async () => {
  const pid = await deadPid();
  await writeLock({ pid, lockId: 'first' });
  await writeFile(`${path}.first`, JSON.stringify({ pid, started: '', host: hostname(), lockId: 'second' }));
  const unlock = await takeFileLock(path);
  await unlock();
  expect(await readdir(directory)).toEqual([]);
});

test('is refused where the file is something else, and leaves it alone', async () => {
  const dead = { pid: await deadPid(), started: '', host: hostname(), lockId: 'other' };
  const wrong = [{ pid: 1.5 }, { started: 1 }, { host: 1 }, { lockId: 1 }, { lockId: '../../etc' }];
  for (const text of ['Dear diary', 'null', ...wrong.map((part) => JSON.stringify({ ...dead, ...part }))]) {
    await writeFile(path, text);
    await expect(takeFileLock(path)).rejects.toMatchObject({
      code: 'LOCKED',
      message: expect.stringContaining('not a lock'),
    });
    expect(await readFile(path, 'utf8')).toBe(text);
  }
});

test('leaves a lock alone that somebody else took meanwhile', async () => {
  const unlock = await takeFileLock(path);
  await writeLock({ lockId: 'somebody else' });
  await unlock();
  expect(await readdir(directory)).toEqual(['sync.journal.lock']);
});

test('leaves nothing behind where the disk has no room for it', async () => {
  if (process.platform === 'win32') return;
  // The size that files may have stands for a full disk: either refuses the bytes of a file that was created.
  const limit = 'trap \'\' XFSZ; ulimit -f 0; exec "$@"';
  const work = `import(${JSON.stringify(new URL('./file-lock.ts', import.meta.url))})
    .then(({ takeFileLock }) => takeFileLock(${JSON.stringify(path)}))
    .catch(({ code }) => process.exit(code === 'EFBIG' ? 75 : 1))`;
  const node = [process.execPath, '--import', 'tsx', '--eval', work];
  const child = spawn('sh', ['-c', limit, 'sh', ...node], { stdio: 'ignore' });
  const [exitCode] = await once(child, 'exit');
  expect([exitCode, await readdir(directory)]).toEqual([75, []]);
});
