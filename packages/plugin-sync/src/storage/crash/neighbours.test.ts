import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { bundleProgram } from '../../../../../scripts/build/bundle-program.js';
import { temporaryDirectory } from '../../../test/fixtures/temporary-directory.js';
import { openCrashStorage } from './crash-storage.js';

const NEIGHBOUR = await bundleProgram(fileURLToPath(new URL('./neighbour-process.ts', import.meta.url)));

/** Starts processes of these names, and resolves when all of them listen. */
async function startNeighbours(kind: string, names: readonly string[]): Promise<readonly ChildProcess[]> {
  const neighbours = names.map((name) => fork(NEIGHBOUR, [kind, name]));
  onTestFinished(() => {
    for (const neighbour of neighbours) neighbour.kill('SIGKILL');
  });
  await Promise.all(neighbours.map((neighbour) => once(neighbour, 'message')));
  return neighbours;
}

/** Lets a process open the storage and record; answers what became of that. */
async function record(neighbour: ChildProcess, path: string): Promise<unknown> {
  const answer = once(neighbour, 'message');
  neighbour.send(path);
  const [outcome] = await answer;
  return outcome;
}

async function stored(kind: string, path: string) {
  const storage = await openCrashStorage(kind, path);
  const { entries } = await storage.load();
  await storage.close();
  return entries.map(({ mutation }) => mutation);
}

test('I1 I2 numbers what several processes record at once on one new SQLite database, refusing none', async () => {
  const directory = await temporaryDirectory();
  const neighbours = await startNeighbours('sqlite', ['a', 'b', 'c']);
  for (let round = 1; round <= 10; round++) {
    const path = join(directory, `${round}.db`);
    const outcomes = await Promise.all(neighbours.map((neighbour) => record(neighbour, path)));
    expect({ round, outcomes }).toEqual({ round, outcomes: ['durable', 'durable', 'durable'] });
    const mutations = await stored('sqlite', path);
    expect(mutations.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(mutations.map(({ recordId }) => recordId)).size).toBe(9);
  }
});

test('I1 refuses a file to a second process while the first lives, and gives it all when the first is killed', async () => {
  const path = join(await temporaryDirectory(), 'sync.journal');
  const [first, second] = await startNeighbours('file', ['a', 'b']);
  if (!first || !second) throw new Error('Two processes were asked for.');
  expect(await record(first, path)).toBe('durable');
  expect(await record(second, path)).toBe('LOCKED');
  const exit = once(first, 'exit');
  first.kill('SIGKILL');
  await exit;
  expect(await record(second, path)).toBe('durable');
  second.kill('SIGKILL');
  await once(second, 'exit');
  expect((await stored('file', path)).map(({ recordId }) => recordId)).toEqual(['a1', 'a2', 'a3', 'b1', 'b2', 'b3']);
});
