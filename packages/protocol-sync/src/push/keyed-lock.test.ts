import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { KeyedLock } from './keyed-lock.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

it('runs work on one key one after another, also what comes in between and after what failed', async () => {
  const lock = new KeyedLock();
  const transcript: string[] = [];
  const ends = new Map<string, () => void>();
  const run = (name: string) =>
    lock
      .run('key', async () => {
        transcript.push(`${name} begins`);
        await new Promise<void>((resolve) => ends.set(name, resolve));
        transcript.push(`${name} ends`);
        if (name === 'first') throw new Error('failed');
      })
      .catch(() => {});
  const works = [run('first'), run('second')];
  await turn();
  ends.get('first')?.();
  await turn();
  works.push(run('third'));
  await turn();
  ends.get('second')?.();
  await turn();
  ends.get('third')?.();
  await Promise.all(works);
  expect(transcript).toEqual([
    ...['first begins', 'first ends'],
    ...['second begins', 'second ends', 'third begins', 'third ends'],
  ]);
});

it('runs work on different keys side by side', async () => {
  const lock = new KeyedLock();
  void lock.run('stuck', () => new Promise(() => {}));
  expect(await lock.run('free', async () => 'done')).toBe('done');
});

it('keeps nothing of a key when no work on it is left, so that its memory does not grow with every device', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const lock = new KeyedLock();
  const run = async () => new WeakRef(await lock.run('key', async () => ({ answer: 'to a push' })));
  const results = await Promise.all([run(), run()]);
  await turn();
  collectGarbage();
  expect(results.map((result) => result.deref())).toEqual([undefined, undefined]);
  // Still in use: only what it kept is gone.
  expect(await lock.run('key', async () => 'done')).toBe('done');
});
