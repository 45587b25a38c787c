import { expect, it } from 'vitest';
import { drawPlan } from './draw-plan.js';
import { keptSeeds } from './kept-seeds.js';
import { runPlan } from './world.js';

/** 60 schedules: a few seconds on one busy core. `pnpm simulate` runs any number. */
const SLICE = 60;

it('gives the same trace for the same seed', async () => {
  const [once, again] = [
    await runPlan(drawPlan(7), { isTraced: true }),
    await runPlan(drawPlan(7), { isTraced: true }),
  ];
  expect(once.trace.length).toBeGreaterThan(50);
  expect(again).toEqual(once);
});

it(`I1 to I13 hold in the schedules 1 to ${SLICE}`, async () => {
  const broken = [];
  for (let seed = 1; seed <= SLICE; seed++) {
    const { violation } = await runPlan(drawPlan(seed));
    if (violation) broken.push({ seed, ...violation });
  }
  expect(broken).toEqual([]);
});

for (const [name, { plan, broke }] of keptSeeds()) {
  it(`${broke.invariant} holds in ${name}, which broke it once`, async () => {
    expect((await runPlan(plan)).violation).toBeUndefined();
  });
}
