import { expect, it } from 'vitest';
import { drawPlan } from './draw-plan.js';
import { keptSeeds } from './kept-seeds.js';
import { MUTANTS } from './mutants.js';
import type { Plan } from './plan.js';
import type { Invariant } from './violation.js';
import { runPlan } from './world.js';

/** A rule that is gone must be noticed by then. */
const MAX_SEEDS = 1000;

for (const mutant of MUTANTS) {
  it(`${mutant.breaks} is seen to break when ${mutant.name}`, async () => {
    let found: Invariant | undefined;
    for (const plan of plansFor(mutant.hint)) {
      const { violation } = await runPlan(plan, { mutant });
      if (violation?.invariant !== mutant.breaks) continue;
      found = violation.invariant;
      break;
    }
    expect(found).toBe(mutant.breaks);
  });
}

function* plansFor(hint: number | string): Iterable<Plan> {
  if (typeof hint === 'string') {
    for (const [name, { plan }] of keptSeeds()) if (name === hint) yield plan;
    return;
  }
  // The seed that noticed it last time comes first; without it the search takes minutes.
  yield drawPlan(hint);
  for (let seed = 1; seed <= MAX_SEEDS; seed++) yield drawPlan(seed);
}
