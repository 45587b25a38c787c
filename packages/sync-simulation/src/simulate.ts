/** Runs schedules from the command line: `pnpm simulate --help` tells its options. */
import { Command } from '@commander-js/extra-typings';
import { parseCount, parseRange } from '../../../scripts/command-line/option-parsers.js';
import { drawPlan } from './draw-plan.js';
import { keepSeed } from './kept-seeds.js';
import { realTime } from './platform/turn.js';
import { runPlan } from './run-plan.js';
import { shrinkPlan } from './shrink.js';
import type { Violation } from './violation.js';

const options = new Command('pnpm simulate')
  .description('Runs schedules drawn from seeds, and ends with 1 when anything was broken.')
  .option('--seeds <range>', 'runs all of these', parseRange, [1, 100] as const)
  .option('--seed <number>', 'runs this one alone and prints its trace', parseCount)
  .option('--mutations <count>', 'how many a schedule makes, about', parseCount, 40)
  .option('--engines', 'gives devices local data engines', false)
  .option('--keep', 'keeps what breaks, made small, in seeds/', false)
  .parse()
  .opts();
const { mutations, engines: hasEngines } = options;
const [first, last] = options.seed === undefined ? options.seeds : [options.seed, options.seed];
const startedAt = realTime();
let made = 0;
let broken = 0;
for (let seed = first; seed <= last; seed++) {
  const outcome = await runPlan(drawPlan(seed, { mutations, hasEngines }), { isTraced: options.seed !== undefined });
  made += outcome.mutations;
  if (options.seed !== undefined) print(outcome.trace.join('\n'));
  if (outcome.violation) {
    broken += 1;
    await explain(seed, outcome.violation);
  }
  if (seed % 1000 === 0 && seed < last) report(seed - first + 1);
}
report(last - first + 1);
process.exitCode = broken > 0 ? 1 : 0;

async function explain(seed: number, violation: Violation): Promise<void> {
  const plan = drawPlan(seed, { mutations, hasEngines });
  const small = await shrinkPlan(plan, async (candidate) => (await runPlan(candidate)).violation?.invariant);
  const { trace, violation: again = violation } = await runPlan(small, { isTraced: true });
  print(`${trace.join('\n')}\n`);
  print(`Seed ${seed} breaks ${again.invariant}: ${again.message}`);
  print(
    `Above: ${small.actions.length} of its ${plan.actions.length} actions. Again: pnpm simulate --seed ${seed} --mutations ${mutations}${hasEngines ? ' --engines' : ''}`,
  );
  if (options.keep) print(`Kept as ${keepSeed({ broke: again, plan: small })}`);
}

function report(schedules: number): void {
  const seconds = (realTime() - startedAt) / 1000;
  const pace = `${(schedules / seconds).toFixed(1)} schedules/s`;
  print(`${schedules} schedules, ${made} mutations, ${broken} broken, ${seconds.toFixed(0)} s, ${pace}`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
