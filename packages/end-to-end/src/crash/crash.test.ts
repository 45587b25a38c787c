import { expect, it } from 'vitest';
import { type CrashRunOptions, runCrashes } from './crash-run.js';

const runs: readonly CrashRunOptions[] = [
  { seed: 1, kills: 6, victim: 'client', storage: 'sqlite', records: 'store' },
  { seed: 2, kills: 6, victim: 'client', storage: 'file', records: 'store' },
  { seed: 3, kills: 4, victim: 'server', storage: 'sqlite', records: 'store' },
  { seed: 4, kills: 4, victim: 'server', storage: 'sqlite', records: 'table' },
];

for (const options of runs) {
  const { kills, victim, storage, records } = options;
  it(`I1 I2 I11 loses and repeats nothing when the ${victim} is killed ${kills} times: ${storage} on the device, records in the ${records}`, async () => {
    const { durable, confirmed, killedAfter, ...run } = await runCrashes(options);
    expect(run).toEqual({
      lost: [],
      repeated: [],
      left: { pending: 0, conflicts: 0, deadLetters: 0 },
      isEqual: true,
    });
    expect([durable > 0, confirmed > 0]).toEqual([true, true]);
  });
}
