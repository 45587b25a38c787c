/**
 * Runs schedules from the command line.
 *
 *   pnpm simulate --seeds 1..1000                 runs them all, ends with 1 when anything was broken
 *   pnpm simulate --seeds 1..1000 --mutations 100 with more mutations a schedule
 *   pnpm simulate --seed 42                       runs one and prints its trace
 *   pnpm simulate --seeds 1..1000 --keep          keeps what breaks, made small, in `seeds/`
 */
import { parseArgs } from 'node:util';
import { drawPlan } from './draw-plan.js';
import { keepSeed } from './kept-seeds.js';
import { realTime } from './platform/turn.js';
import { shrinkPlan } from './shrink.js';
import type { Violation } from './violation.js';
import { runPlan } from './world.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1..100' },
    mutations: { type: 'string', default: '40' },
    keep: { type: 'boolean', default: false },
  },
});
const mutations = Number(values.mutations);
const [first = 1, last = first] = (values.seed ?? values.seeds).split('..').map(Number);
const startedAt = realTime();
let made = 0;
let broken = 0;
for (let seed = first; seed <= last; seed++) {
  const outcome = await runPlan(drawPlan(seed, { mutations }), { isTraced: values.seed !== undefined });
  made += outcome.mutations;
  if (values.seed !== undefined) print(outcome.trace.join('\n'));
  if (outcome.violation) {
    broken += 1;
    await explain(seed, outcome.violation);
  }
  if (seed % 1000 === 0 && seed < last) report(seed - first + 1);
}
report(last - first + 1);
process.exitCode = broken > 0 ? 1 : 0;

async function explain(seed: number, violation: Violation): Promise<void> {
  const plan = drawPlan(seed, { mutations });
  const small = await shrinkPlan(plan, async (candidate) => (await runPlan(candidate)).violation?.invariant);
  const { trace, violation: again = violation } = await runPlan(small, { isTraced: true });
  print(`${trace.join('\n')}\n`);
  print(`Seed ${seed} breaks ${again.invariant}: ${again.message}`);
  print(
    `Above: ${small.actions.length} of its ${plan.actions.length} actions. Again: pnpm simulate --seed ${seed} --mutations ${mutations}`,
  );
  if (values.keep) print(`Kept as ${keepSeed({ broke: again, plan: small })}`);
}

function report(schedules: number): void {
  const seconds = (realTime() - startedAt) / 1000;
  const pace = `${(schedules / seconds).toFixed(1)} schedules/s`;
  print(`${schedules} schedules, ${made} mutations, ${broken} broken, ${seconds.toFixed(0)} s, ${pace}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
