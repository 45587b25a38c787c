/** A cloned device goes on in a log of its own. */
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { device } from '../fixtures/device.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';
import { refuses } from '../fixtures/scripted-server.js';
import { createTasks, twoNewDevices } from '../fixtures/two-devices.js';

test('a cloned device continues as a log of its own and loses nothing', async () => {
  const { a, server } = twoNewDevices();
  const { storage } = a;
  await createTasks(a, ['t1']);
  // The clone starts from the same storage, before either of them goes on.
  const cloneStorage = new FaultStorage(new LastingStorage());
  const { meta, entries } = await storage.load();
  if (!meta) throw new Error('The storage was written.');
  await cloneStorage.commit({ meta, putEntries: entries, putRecords: [...(await storage.listRecords('task'))] });
  const { transport, requests } = server.connect();
  const clone = device({ transport, storage: cloneStorage, platform: new TestPlatform({ seed: 9 }), clientId: 'a' });

  await createTasks(a, ['t2']);
  const own = [clone.tasks.records.create('t3', { title: 't3' }), clone.tasks.records.create('t4', { title: 't4' })];
  await clone.tasks.sync();
  expect([requests.map(({ mutations }) => mutations.map(({ id, sequence }) => [id, sequence]))]).toEqual([
    [
      [
        [own[0]?.id, 2],
        [own[1]?.id, 3],
      ],
      [
        [own[0]?.id, 2],
        [own[1]?.id, 3],
      ],
    ],
  ]);
  expect([requests[0]?.logId !== requests[1]?.logId, clone.tasks.status.pending]).toEqual([true, 0]);
  await a.tasks.sync();
  expect([await a.seen(), (await cloneStorage.load()).meta?.nextSequence]).toEqual([
    { t1: 't1', t2: 't2', t3: 't3', t4: 't4' },
    4,
  ]);
});

test('I2 a cloned device says of what is pending in which log it got its sequence', async () => {
  const { edit, tasks, server } = device({ script: [refuses(409, 'LOG_FORKED')] });
  const ids = [edit('t1').id, edit('t2').id];
  await tasks.sync();
  const [first, second] = server.requests;
  expect({
    isNewLog: first?.logId !== second?.logId,
    sent: second?.mutations,
    applied: server.applied,
  }).toEqual({
    isNewLog: true,
    sent: first?.mutations.map((mutation) => ({ ...mutation, firstLogId: first.logId })),
    applied: ids,
  });
});
