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
const MAX_SEEDS = 2000;
/** One in about 50 notices it. */
const MAX_CHANCES = 200;

for (const mutant of MUTANTS) {
  it(`${mutant.breaks} is seen to break when ${mutant.name}`, async () => {
    let found: Invariant | undefined;
    for (const plan of plansFor(mutant)) {
      const { violation } = await runPlan(plan, { mutant });
      if (violation?.invariant !== mutant.breaks) continue;
      found = violation.invariant;
      const isFirst = mutant.hint === 'kept' || mutant.hint === plan.seed;
      if (!isFirst) console.warn(`The hint ${mutant.hint} no longer notices it; ${plan.seed} does.`);
      break;
    }
    expect(found).toBe(mutant.breaks);
  });
}

function* plansFor(mutant: ExpectedMutant): Iterable<Plan> {
  const { hint, breaks } = mutant;
  const hasEngines = ENGINE_MUTANTS.includes(mutant);
  if (hint === 'kept') {
    // Which one still meets the rule, and how often, changes with the times at which a device tries again.
    const kept = keptSeeds().filter(([, { broke }]) => broke.invariant === breaks);
    for (const [, { plan }] of kept) yield plan;
    // The same actions under other chance.
    for (let seed = 1; seed <= MAX_CHANCES; seed++) for (const [, { plan }] of kept) yield { ...plan, seed };
    return;
  }
  // The seed that noticed it last time comes first; without it the search takes minutes.
  yield drawPlan(hint, { hasEngines });
  for (let seed = 1; seed <= MAX_SEEDS; seed++) yield drawPlan(seed, { hasEngines });
}
