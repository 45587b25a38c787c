import { expect, it } from 'vitest';
import { drawPlan } from '../draw-plan.js';
import { keptSeeds } from '../kept-seeds.js';
import type { Plan } from '../plan.js';
import { runPlan } from '../run-plan.js';
import type { Invariant } from '../violation.js';
import { ENGINE_MUTANTS } from './engine-mutants.js';
import type { ExpectedMutant } from './mutant.js';
import { MUTANTS } from './mutants.js';

/** A rule that is gone must be noticed by then. */
const MAX_SEEDS = 1500;

for (const mutant of MUTANTS) {
  it(`${mutant.breaks} is seen to break when ${mutant.name}`, async () => {
    let found: Invariant | undefined;
    for (const plan of plansFor(mutant)) {
      const { violation } = await runPlan(plan, { mutant });
      if (violation?.invariant !== mutant.breaks) continue;
      found = violation.invariant;
      break;
    }
    expect(found).toBe(mutant.breaks);
  });
}

function* plansFor(mutant: ExpectedMutant): Iterable<Plan> {
  const { hint, breaks } = mutant;
  const hasEngines = ENGINE_MUTANTS.includes(mutant);
  if (hint === 'kept') {
    // All of them: which one still meets the rule changes with the times at which a device tries again.
    for (const [, { plan, broke }] of keptSeeds()) if (broke.invariant === breaks) yield plan;
    return;
  }
  // The seed that noticed it last time comes first; without it the search takes minutes.
  yield drawPlan(hint, { hasEngines });
  for (let seed = 1; seed <= MAX_SEEDS; seed++) yield drawPlan(seed, { hasEngines });
}
