/** Makes a failing schedule small: fewer actions and fewer faults, as long as the same invariant breaks. */
import type { Action, Faults, Plan } from './plan.js';
import type { Invariant } from './violation.js';

/** Answers which invariant a plan breaks. */
export type Judge = (plan: Plan) => Promise<Invariant | undefined>;

/** The smallest plan found that still breaks the same invariant as the given one; tries at most `maxRuns` plans. */
export async function shrinkPlan(plan: Plan, judge: Judge, maxRuns = 400): Promise<Plan> {
  const broken = await judge(plan);
  if (!broken) return plan;
  let runs = 0;
  let smallest = plan;
  const isStillBroken = async (candidate: Plan) => ++runs <= maxRuns && (await judge(candidate)) === broken;

  for (let size = Math.ceil(plan.actions.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let start = 0; start < smallest.actions.length && runs < maxRuns; ) {
      const candidate = { ...smallest, actions: withoutActions(smallest.actions, start, size) };
      if (await isStillBroken(candidate)) smallest = candidate;
      else start += size;
    }
  }
  for (const fault of Object.keys(plan.world.faults) as readonly (keyof Faults)[]) {
    if (smallest.world.faults[fault] === 0) continue;
    const faults = { ...smallest.world.faults, [fault]: 0 };
    const candidate = { ...smallest, world: { ...smallest.world, faults } };
    if (await isStillBroken(candidate)) smallest = candidate;
  }
  return smallest;
}

/** The actions without some of them; the rest keep their times. */
function withoutActions(actions: readonly Action[], start: number, count: number): readonly Action[] {
  const gone = actions.slice(start, start + count).reduce((sum, { afterMs }) => sum + afterMs, 0);
  const [next, ...later] = actions.slice(start + count);
  const moved = next ? [{ ...next, afterMs: next.afterMs + gone }, ...later] : [];
  return [...actions.slice(0, start), ...moved];
}
