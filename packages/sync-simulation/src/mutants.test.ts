import { expect, it } from 'vitest';
import { drawPlan } from './draw-plan.js';
import { MUTANTS } from './mutants.js';
import { runPlan } from './world.js';

/** A rule that is gone must be noticed by then. */
const MAX_SEEDS = 1000;

for (const mutant of MUTANTS) {
  it(`${mutant.breaks[0]} is seen to break when ${mutant.name}`, async () => {
    let found: string | undefined;
    for (let seed = 1; seed <= MAX_SEEDS && found === undefined; seed++) {
      found = (await runPlan(drawPlan(seed), { mutant })).violation?.invariant;
    }
    expect(mutant.breaks).toContain(found);
  });
}
