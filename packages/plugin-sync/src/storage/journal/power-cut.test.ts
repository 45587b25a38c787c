import fc from 'fast-check';
import { expect, test } from 'vitest';
import { device } from '../../../test/fixtures/device.js';
import { appliesWith, change } from '../../../test/fixtures/scripted-server.js';
import { FaultStorage } from '../../testing/fault-storage.js';
import { lastBatch, lastOwnBatch, nthBatch, tell, tellAfter } from '../contract/numbered-batches.js';
import { FileStorage } from '../file-storage.js';
import { PowerCutDisk } from './power-cut-disk.fixture.js';

function restart(disk: PowerCutDisk, dies: 'process' | 'machine'): void {
  if (dies === 'process') disk.restartProcess();
  else disk.restartMachine();
}

const roundArbitrary = fc.record({
  /** How many batches are committed together, of each try. */
  groups: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 }),
  cutAt: fc.integer({ min: 1, max: 40 }),
  failAt: fc.integer({ min: 1, max: 40 }),
  failures: fc.integer({ min: 1, max: 4 }),
  isClosed: fc.boolean(),
  dies: fc.constantFrom('process', 'machine'),
  diesAgain: fc.constantFrom('process', 'machine'),
});

test('I1 keeps what it reported, whole, and nothing it refused, when the disk or the power fails at any moment', async () => {
  const scenario = fc.record({
    rounds: fc.array(roundArbitrary, { minLength: 1, maxLength: 5 }),
    randoms: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rounds, randoms }) => {
      const disk = new PowerCutDisk({ random: () => randoms.next().value });
      let reported = 0;
      for (const round of rounds) {
        let possible = reported;
        disk.cutPowerAt(round.cutAt);
        disk.failAt(round.failAt, new Error('the disk fails'), round.failures);
        const storage = new FileStorage('sync.journal', { disk, compactAboveBytes: 500 });
        for (const together of round.groups) {
          const commits = Array.from({ length: together }, (_, index) =>
            storage.commit({ ...nthBatch(reported + index + 1), expectRevision: reported + index }),
          );
          possible = Math.max(possible, reported + together);
          const outcomes = await Promise.allSettled(commits);
          reported += outcomes.filter(({ status }) => status === 'fulfilled').length;
          // What failed may be in the file until it is cleaned, as it is before the next batch.
          if (outcomes.every(({ status }) => status === 'fulfilled')) possible = reported;
          if (disk.isOff) break;
        }
        if (round.isClosed) await storage.close().catch(() => {});
        restart(disk, round.dies);

        const reopened = new FileStorage('sync.journal', { disk });
        const kept = await lastBatch(reopened);
        // A power cut may take what the server tells again, with all behind it.
        expect(kept).toBeGreaterThanOrEqual(round.dies === 'machine' ? lastOwnBatch(reported) : reported);
        expect(kept).toBeLessThanOrEqual(possible);
        expect(await tell(reopened)).toEqual(await tellAfter(kept));

        restart(disk, round.diesAgain);
        expect(await lastBatch(new FileStorage('sync.journal', { disk }))).toBe(kept);
        reported = kept;
      }
    }),
    { numRuns: 500 },
  );
});

test('I1 keeps what comes after lines that a failing disk has never written, though the next process reads them', async () => {
  const disk = new PowerCutDisk({ random: () => 0.9 });
  const open = () => new FileStorage('sync.journal', { disk });
  const storage = open();
  await storage.commit(nthBatch(1));
  await storage.commit(nthBatch(2));
  await storage.commit(nthBatch(3));
  // The write succeeds: its sync does not, and no attempt to mend that.
  disk.failAt(2, new Error('the disk fails'), 10);
  await expect(storage.commit(nthBatch(4))).rejects.toThrow('Could not read or write');
  disk.restartProcess();
  await open().commit(nthBatch(4));
  disk.restartMachine();
  expect(await tell(open())).toEqual(await tellAfter(4));
});

test('takes of what a client was told only what the server can tell again', async () => {
  const disk = new PowerCutDisk({ random: () => 0.9 });
  const open = () => new FileStorage('sync.journal', { disk });
  /** What is there after a device has made so many edits and synced, and the power was cut. */
  const keptOf = async (edits: number, recordId: string) => {
    const script = [appliesWith({ serverChanges: [change(recordId)] })];
    const { tasks, edit } = device({ storage: new FaultStorage(open()), script });
    await tasks.flush();
    for (let n = 0; n < edits; n++) edit();
    await tasks.sync();
    const before = tasks.status.pending;
    disk.restartMachine();
    const storage = open();
    const { entries } = await storage.load();
    const records = (await storage.listRecords('task')).map((record) => record.recordId);
    return { before, entries: entries.length, records: records.sort() };
  };
  expect(await keptOf(1, 'first')).toEqual({ before: 0, entries: 0, records: ['first'] });
  expect(await keptOf(0, 'second')).toEqual({ before: 0, entries: 0, records: ['first'] });
  expect(await keptOf(1, 'third')).toEqual({ before: 0, entries: 0, records: ['first', 'third'] });
});
