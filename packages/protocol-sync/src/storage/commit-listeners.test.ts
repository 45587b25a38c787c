import { expect, it } from 'vitest';
import { CommitListeners } from './commit-listeners.js';

it('tells nothing more to who is removed between a commit and its being told', async () => {
  const listeners = new CommitListeners();
  const heard: string[] = [];
  listeners.add((head) => {
    heard.push(`first ${head}`);
    remove();
  });
  const remove = listeners.add((head) => heard.push(`second ${head}`));
  listeners.announce(1);
  await Promise.resolve();
  expect(heard).toEqual(['first 1']);
});

it('tells nobody of a head that was there at the start', async () => {
  const listeners = new CommitListeners();
  const heard: number[] = [];
  listeners.add((head) => heard.push(head));
  listeners.startAt(5);
  for (const head of [4, 5, 6]) listeners.announce(head);
  await Promise.resolve();
  expect(heard).toEqual([6]);
});
