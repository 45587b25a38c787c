import { expect, it } from 'vitest';
import { drawPlan } from './draw-plan.js';
import { MUTANTS } from './mutants.js';
import type { Invariant } from './violation.js';
import { runPlan } from './world.js';

/** A rule that is gone must be noticed by then. */
const MAX_SEEDS = 1000;

for (const mutant of MUTANTS) {
  it(`${mutant.breaks} is seen to break when ${mutant.name}`, async () => {
    // The seed that noticed it last time comes first; without it the search takes minutes.
    const seeds = [mutant.hint, ...Array.from({ length: MAX_SEEDS }, (_, index) => index + 1)];
    let found: Invariant | undefined;
    for (const seed of seeds) {
      const { violation } = await runPlan(drawPlan(seed), { mutant });
      if (violation?.invariant !== mutant.breaks) continue;
      found = violation.invariant;
      break;
    }
    expect(found).toBe(mutant.breaks);
  });
}
