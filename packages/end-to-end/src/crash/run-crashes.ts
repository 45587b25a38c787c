/** Kills processes from the command line: `pnpm crashes --help` tells its options. */
import { Command } from '@commander-js/extra-typings';
import { parseCount } from '../../../../scripts/command-line/option-parsers.js';
import { type CrashRun, runCrashes } from './crash-run.js';

const options = new Command('pnpm crashes')
  .description('Kills processes that sync, prints what is left, and ends with 1 when anything was lost.')
  .option('--kills <count>', 'how many, all kinds together', parseCount, 300)
  .option('--seed <number>', 'draws when', parseCount, 1)
  .parse()
  .opts();
const kinds = [
  { victim: 'client', storage: 'sqlite', records: 'store' },
  { victim: 'client', storage: 'file', records: 'store' },
  { victim: 'server', storage: 'sqlite', records: 'store' },
  { victim: 'server', storage: 'sqlite', records: 'table' },
] as const;
const kills = Math.ceil(options.kills / kinds.length);
const problems: CrashRun[] = [];
for (const [index, kind] of kinds.entries()) {
  const run = await runCrashes({ ...kind, kills, seed: options.seed + index });
  const isSound =
    run.lost.length + run.repeated.length + run.left.pending + run.left.conflicts + run.left.deadLetters === 0;
  if (!isSound || !run.isEqual) problems.push(run);
  const where = Object.entries(run.killedAfter).map(([name, count]) => `${count} after "${name}"`);
  process.stdout.write(
    `${kind.victim} killed ${kills} times (${kind.storage} on the device, records in the ${kind.records}): ` +
      `${run.durable} durable mutations, ${run.confirmed} confirmed to another device, ${run.lost.length} lost, ${run.repeated.length} records with a repetition; kills fell ${where.join(', ')}\n`,
  );
}
if (problems.length > 0) {
  process.stdout.write(`${JSON.stringify(problems, null, 2)}\n`);
  process.exitCode = 1;
}
