import { expect, test } from 'vitest';
import type { StorageBatch } from '../client-storage.js';
import {
  sampleConflict,
  sampleDeadLetter,
  sampleEntry,
  sampleMeta,
  sampleRecord,
} from '../contract/storage-samples.js';
import { FileStorage } from '../file-storage.js';
import { PowerCutDisk } from './power-cut-disk.fixture.js';

/** A file storage whose journal is rewritten when 2,000 bytes of it are garbage, and the size of that. */
function open() {
  const disk = new PowerCutDisk({ random: () => 0 });
  const reopen = () => new FileStorage('sync.journal', { disk, compactAboveBytes: 2000 });
  return { storage: reopen(), reopen, size: async () => (await disk.read('sync.journal'))?.length };
}

test.each<readonly [string, (n: number) => StorageBatch]>([
  ['meta', (n) => ({ meta: sampleMeta({ revision: n }) })],
  ['entries that are replaced', (n) => ({ putEntries: [sampleEntry('m', n)] })],
  ['entries', (n) => ({ putEntries: [sampleEntry(`m${n}`, n)], removeEntries: [`m${n - 1}`] })],
  ['conflicts that are replaced', (n) => ({ putConflicts: [sampleConflict('c', n)] })],
  ['conflicts', (n) => ({ putConflicts: [sampleConflict(`c${n}`, n)], removeConflicts: [`c${n - 1}`] })],
  ['dead letters that are replaced', (n) => ({ putDeadLetters: [sampleDeadLetter('d', n)] })],
  ['dead letters', (n) => ({ putDeadLetters: [sampleDeadLetter(`d${n}`, n)], removeDeadLetters: [`d${n - 1}`] })],
  ['records that are replaced', (n) => ({ putRecords: [sampleRecord({ version: n })] })],
  [
    'records',
    (n) => ({
      putRecords: [sampleRecord({ recordId: n })],
      removeRecords: [{ objectName: 'task', recordId: n - 1 }],
    }),
  ],
  [
    'records that a walk does not see',
    (n) => ({ putRecords: [sampleRecord({ recordId: n, walk: `${n}` })], sweepWalk: `${n}` }),
  ],
])('keeps the journal small whatever comes and goes: %s', async (_, batch) => {
  const { storage, size } = open();
  for (let n = 1; n <= 300; n++) await storage.commit(batch(n));
  expect(await size()).toBeLessThan(5000);
});

test('I1 loses nothing of many entries, conflicts, dead letters and records when it is rewritten', async () => {
  const { storage, reopen, size } = open();
  const many = <T>(make: (n: number) => T) => Array.from({ length: 250 }, (_, n) => make(n));
  const batch: StorageBatch = {
    meta: sampleMeta({ nextSequence: 251 }),
    putEntries: many((n) => sampleEntry(`m${n}`, n)),
    putConflicts: many((n) => sampleConflict(`c${n}`, n)),
    putDeadLetters: many((n) => sampleDeadLetter(`d${n}`, n)),
    putRecords: many((recordId) => sampleRecord({ recordId })),
  };
  await storage.commit(batch);
  const whole = Number(await size());
  for (let n = 1; n <= 3; n++) await storage.commit(batch);
  expect(await size()).toBeLessThan(3 * whole);
  const reopened = reopen();
  const { meta, entries, conflicts, deadLetters } = await reopened.load();
  const putRecords = await reopened.listRecords('task');
  expect({ meta, putEntries: entries, putConflicts: conflicts, putDeadLetters: deadLetters, putRecords }).toEqual(
    batch,
  );
});
