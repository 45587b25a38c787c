import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { StorageBatch } from '../client-storage.js';
import { sampleEntry, sampleMeta, sampleRecord } from '../contract/storage-samples.js';
import { FileStorage } from '../file-storage.js';
import { MemoryStorage } from '../memory-storage.js';
import { PowerCutDisk } from './power-cut-disk.js';

/** The n-th batch: it tells its number, and makes garbage of an older one. */
function nthBatch(n: number): StorageBatch {
  return {
    meta: sampleMeta({ nextSequence: n + 1 }),
    putEntries: [sampleEntry(`m${n}`, n)],
    removeEntries: [`m${n - 3}`],
    putRecords: [sampleRecord({ recordId: n % 4, version: n })],
  };
}

async function tell(storage: FileStorage | MemoryStorage): Promise<unknown> {
  const records = [...(await storage.listRecords('task'))];
  return { state: await storage.load(), records: records.sort((a, b) => Number(a.recordId) - Number(b.recordId)) };
}

function restart(disk: PowerCutDisk, dies: 'process' | 'machine'): void {
  if (dies === 'process') disk.restartProcess();
  else disk.restartMachine();
}

async function lastBatch(storage: FileStorage): Promise<number> {
  const { meta } = await storage.load();
  return (meta?.nextSequence ?? 1) - 1;
}

/** What a storage tells after the batches 1 … n. */
async function afterBatch(n: number): Promise<unknown> {
  const model = new MemoryStorage();
  for (let batch = 1; batch <= n; batch++) await model.commit(nthBatch(batch));
  return tell(model);
}

const roundArbitrary = fc.record({
  batches: fc.integer({ min: 1, max: 12 }),
  together: fc.integer({ min: 1, max: 4 }),
  cutAt: fc.integer({ min: 1, max: 40 }),
  dies: fc.constantFrom('process', 'machine'),
  diesAgain: fc.constantFrom('process', 'machine'),
});

test('I1 keeps every batch it reported, and no half of another, when the power fails at any moment', async () => {
  const scenario = fc.record({
    rounds: fc.array(roundArbitrary, { minLength: 1, maxLength: 5 }),
    randoms: fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ rounds, randoms }) => {
      const disk = new PowerCutDisk({ random: () => randoms.next().value });
      let reported = 0;
      let asked = 0;
      for (const round of rounds) {
        disk.cutPowerAt(round.cutAt);
        const storage = new FileStorage('sync.journal', { disk, compactAboveBytes: 500 });
        for (let batch = 0; batch < round.batches; batch += round.together) {
          const commits = Array.from({ length: round.together }, () => storage.commit(nthBatch(++asked)));
          const outcomes = await Promise.allSettled(commits);
          if (outcomes.some((outcome) => outcome.status === 'rejected')) break;
          reported = asked;
        }
        await storage.close().catch(() => {});
        restart(disk, round.dies);

        const reopened = new FileStorage('sync.journal', { disk });
        const kept = await lastBatch(reopened);
        expect(kept).toBeGreaterThanOrEqual(reported);
        expect(kept).toBeLessThanOrEqual(asked);
        expect(await tell(reopened)).toEqual(await afterBatch(kept));

        restart(disk, round.diesAgain);
        expect(await lastBatch(new FileStorage('sync.journal', { disk }))).toBe(kept);
        reported = asked = kept;
      }
    }),
    { numRuns: 500 },
  );
}, 60_000);
