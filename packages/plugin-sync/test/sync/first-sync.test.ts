/** What the first sync of a new storage need not ask it, and what it must as soon as others write there. */
import { expect, test } from 'vitest';
import type { BaseRecord } from '../../src/storage/client-storage.js';
import { device } from '../fixtures/device.js';
import { appliesWith, change, type Step } from '../fixtures/scripted-server.js';

/** Answers the pages behind the checkpoint, up to an empty one; a page names these records, all in version 1. */
function pages(...names: readonly (readonly string[])[]): Step {
  return (request, ...call) => {
    const number = Number(request.lastCheckpoint ?? 0);
    const serverChanges = (names[number] ?? []).map((name) => change(name));
    return appliesWith({ serverChanges, checkpoint: `${number + 1}`, hasMore: (names[number + 1] ?? []).length > 0 })(
      request,
      ...call,
    );
  };
}

test('reads no record that no page before has brought, and every record once all are here', async () => {
  const { tasks, storage } = device({ otherwise: pages(['a', 'b'], ['c', 'a'], ['d'], ['e'], [], ['e', 'f']) });
  const asked: unknown[] = [];
  storage.before('getRecords', async (refs) => void asked.push(refs.map(({ recordId }) => recordId)));
  await tasks.sync();
  expect(asked).toEqual([['a']]);
  await tasks.sync();
  expect(asked).toEqual([['a'], ['e', 'f']]);
});

test('reads every record when the storage was written before', async () => {
  const first = device({ otherwise: pages(['a'], ['b']) });
  first.tasks.records.create('mine', {});
  await first.plugin.close();
  const { tasks, storage } = device({ otherwise: pages(['a', 'mine'], ['b']), storage: first.storage });
  const asked: unknown[] = [];
  storage.before('getRecords', async (refs) => void asked.push(refs.map(({ recordId }) => recordId)));
  await tasks.sync();
  expect(asked.flat()).toEqual(expect.arrayContaining(['a', 'b']));
});

test('I5 keeps the higher version that another tab has stored since, though the page was not asked for it', async () => {
  const { tasks, storage, plugin } = device({ otherwise: pages(['a'], ['b'], ['c']) });
  const theirs: BaseRecord = {
    objectName: 'task',
    recordId: 'b',
    version: 9,
    data: { title: 'theirs' },
    walk: null,
  };
  let isDone = false;
  storage.before('commit', async ({ meta }) => {
    if (isDone || meta?.checkpoint !== '2') return;
    isDone = true;
    const { log } = plugin.client;
    await storage.commit({ meta: { ...log.meta, revision: log.meta.revision + 1 }, putRecords: [theirs] });
  });
  await tasks.sync();
  expect([isDone, (await storage.getRecords([theirs]))[0]?.version]).toEqual([true, 9]);
  expect((await tasks.records.list()).map(({ recordId }) => recordId).sort()).toEqual(['a', 'b', 'c']);
});
