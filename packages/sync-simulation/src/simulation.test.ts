import { expect, it } from 'vitest';
import { drawPlan } from './draw-plan.js';
import { keptSeeds } from './kept-seeds.js';
import { realTime } from './platform/turn.js';
import { runPlan } from './run-plan.js';

/** 60 schedules, 5,000 mutations: a few seconds on one core, three times that on a busy one. `pnpm simulate` runs any number. */
const SLICE = 60;

it('gives the same trace for the same seed', async () => {
  const plan = drawPlan(5);
  const [once, again] = [await runPlan(plan, { isTraced: true }), await runPlan(plan, { isTraced: true })];
  expect([once.trace.length > 50, plan.world.live !== undefined]).toEqual([true, true]);
  expect(again).toEqual(once);
});

it(`I1 to I13 and live updates hold in the schedules 1 to ${SLICE}`, async () => {
  const broken = [];
  const startedAt = realTime();
  for (let seed = 1; seed <= SLICE; seed++) {
    const { violation } = await runPlan(drawPlan(seed));
    if (violation) broken.push({ seed, ...violation });
  }
  const pace = (1000 * SLICE) / (realTime() - startedAt);
  process.stdout.write(`simulation: ${pace.toFixed(1)} schedules/s\n`);
  expect(broken).toEqual([]);
});

it(`I1 to I13 hold in the schedules 1 to ${SLICE} with local data engines`, async () => {
  const broken = [];
  for (let seed = 1; seed <= SLICE; seed++) {
    const { violation } = await runPlan(drawPlan(seed, { hasEngines: true }));
    if (violation) broken.push({ seed, ...violation });
  }
  expect(broken).toEqual([]);
});

for (const [name, { plan, broke }] of keptSeeds()) {
  it(`${broke.invariant} holds in ${name}, which broke it once`, async () => {
    expect((await runPlan(plan)).violation).toBeUndefined();
  });
}
