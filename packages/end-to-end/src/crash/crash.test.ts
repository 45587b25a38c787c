import { expect, it } from 'vitest';
import { type CrashRunOptions, runCrashes } from './crash-run.js';

const runs: readonly CrashRunOptions[] = [
  { seed: 1, kills: 8, victim: 'client', storage: 'sqlite' },
  { seed: 2, kills: 8, victim: 'client', storage: 'file' },
  { seed: 3, kills: 6, victim: 'server', storage: 'sqlite' },
];

for (const options of runs) {
  const { kills, victim, storage } = options;
  it(`I1 I2 I11 loses and repeats nothing when the ${victim} is killed ${kills} times, ${storage} on the device`, async () => {
    const { durable, killedAfter, ...run } = await runCrashes(options);
    expect(run).toEqual({
      lost: [],
      repeated: [],
      left: { pending: 0, conflicts: 0, deadLetters: 0 },
      isEqual: true,
    });
    expect(durable).toBeGreaterThan(0);
  }, 60_000);
}
