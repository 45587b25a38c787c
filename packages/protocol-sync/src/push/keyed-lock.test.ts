import { expect, it } from 'vitest';
import { KeyedLock } from './keyed-lock.js';

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
  const turn = () => new Promise((resolve) => setImmediate(resolve));
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
