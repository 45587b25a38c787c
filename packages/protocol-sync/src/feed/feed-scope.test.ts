/** Which objects a walk of the feed is about, and what becomes of it when they are others. */
import { expect, it } from 'vitest';
import { create, setUp } from '../sync-handler.fixture.js';
import { SyncHandler } from '../sync-handler.js';

it('I6 starts the walk anew whenever other objects are wanted, and not when the same are named otherwise', async () => {
  const { pull } = setUp();
  const wanted = [
    { objects: ['note'] },
    { objects: ['note', 'task'] },
    { objects: ['task', 'note', 'task'] },
    { except: ['note'] },
    { except: ['task'] },
    { except: ['task'] },
    {},
  ];
  const resets: unknown[] = [];
  let checkpoint: string | null = null;
  for (const more of wanted) {
    const page = await pull(checkpoint, more);
    resets.push(page.reset);
    checkpoint = page.checkpoint;
  }
  expect(resets).toEqual([undefined, 'scope', undefined, 'scope', 'scope', undefined, 'scope']);
});

it('tells only of the objects that are wanted, and ends such a walk where a poke says that there is nothing new', async () => {
  const { handler, push, pull } = setUp();
  const made = ['task', 'note', 'task'].map((objectName, index) => create({}, { objectName, recordId: index }));
  await push({ mutations: made });
  const { serverChanges, checkpoint } = await pull(null, { objects: ['note'] });
  const pokes: string[] = [];
  const stop = await handler.watch(checkpoint, { onPoke: (poked) => void pokes.push(poked), onEnd: () => {} });
  stop();
  expect([serverChanges.map(({ objectName }) => objectName), pokes]).toEqual([['note'], [checkpoint]]);
});

it('tells nothing of an object that is synced no longer, also to who asks for it', async () => {
  const { store, push } = setUp();
  await push({ mutations: [create({}), create({}, { objectName: 'note' })] });
  const handler = new SyncHandler({ store, objects: { task: { enabled: true }, note: { enabled: false } } });
  const told = [{}, { objects: ['task', 'note'] }].map(async (more) => {
    const page = await handler.handlePull({ clientId: 'reader', lastCheckpoint: null, ...more });
    return page.serverChanges.map(({ objectName }) => objectName);
  });
  expect(await Promise.all(told)).toEqual([['task'], ['task']]);
});

it('does not echo what a client wrote once its first walk is over', async () => {
  const { handler, push, pull } = setUp();
  const change = (recordId: string) =>
    handler.recordChange({ objectName: 'task', recordId, operation: 'create', data: {} });
  await change('first');
  const { checkpoint } = await pull();
  await change('second');
  const { serverChanges } = await push({ lastCheckpoint: checkpoint, mutations: [create({})] });
  expect(serverChanges.map(({ recordId }) => recordId)).toEqual(['second']);
});
