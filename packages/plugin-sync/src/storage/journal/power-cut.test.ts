import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lastBatch, nthBatch, tell, tellAfter } from '../contract/numbered-batches.js';
import { FileStorage } from '../file-storage.js';
import { PowerCutDisk } from './power-cut-disk.js';

function restart(disk: PowerCutDisk, dies: 'process' | 'machine'): void {
  if (dies === 'process') disk.restartProcess();
  else disk.restartMachine();
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
        expect(await tell(reopened)).toEqual(await tellAfter(kept));

        restart(disk, round.diesAgain);
        expect(await lastBatch(new FileStorage('sync.journal', { disk }))).toBe(kept);
        reported = asked = kept;
      }
    }),
    { numRuns: 500 },
  );
}, 60_000);
