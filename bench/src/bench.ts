/** Runs every workload by every contestant in turn, prints tables and writes them as JSON: `pnpm bench --help` tells its options. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from '@commander-js/extra-typings';
import { startPostgres } from '../../packages/protocol-sync/src/storage/postgres/postgres-server.fixture.js';
import { parseCount, parseSome } from '../../scripts/command-line/option-parsers.js';
import { type Case, CONTESTANTS, isYardstick, type Measured, WORKLOAD_IDS } from './case.js';
import { needsPostgres, planCases } from './plan.js';
import { type Bundle, bundle, bundleRevision, type RevisionBundle } from './process/bundle.js';
import { runCase } from './process/run-case.js';
import { compareResults, compareRevisions } from './report/compare.js';
import { findFaults } from './report/limits.js';
import { type Result, type Row, summarize } from './report/result.js';
import { formatResult } from './report/table.js';

const bench = new Command('pnpm bench')
  .description('Runs every workload by every contestant in turn, prints tables and writes them as JSON.')
  .option('--quick', 'small sizes; fails when a ratio is far outside', false)
  .option('--workloads <names>', 'these alone, as W1,W5', parseSome(WORKLOAD_IDS))
  .option('--contestants <names>', 'these alone, as floor,memory', parseSome(CONTESTANTS))
  .option('--size <count>', 'another size', parseCount)
  .option('--batch <count>', 'mutations in one push', parseCount)
  .option('--reps <count>', 'repetitions: 1 with --quick, otherwise 3', parseCount)
  .option('--out <file>', 'where the JSON goes')
  .option('--against <revision>', "the same cases with that git revision's libraries, in turn with these");
type Options = ReturnType<typeof bench.opts>;
bench.action(run);
bench
  .command('compare <before> <after>')
  .description('Compares the JSON of two runs, and runs nothing.')
  .action((before, after) => console.log(compareResults(readResult(before), readResult(after))));
await bench.parseAsync();

async function run(options: Options): Promise<void> {
  const cases = planCases({
    isQuick: options.quick,
    workloads: options.workloads,
    contestants: options.contestants,
    size: options.size,
    batch: options.batch,
  });
  if (cases.length === 0) bench.error('None of these contestants runs any of these workloads.');
  const postgres = cases.some(({ contestant }) => needsPostgres(contestant)) ? await startPostgres() : undefined;
  const own = await bundle();
  const other = options.against === undefined ? undefined : await bundleRevision(options.against);
  try {
    const lines = cases.flatMap((planned) => {
      const asked = needsPostgres(planned.contestant) ? { ...planned, postgresUrl: postgres?.url ?? '' } : planned;
      return linesOf(asked, own, other);
    });
    // Repetitions are the outer loop, so that whatever else loads the machine falls on all contestants alike.
    for (let repetition = 0; repetition < (options.reps ?? (options.quick ? 1 : 3)); repetition++) {
      for (const line of lines) line.runs.push(await tryCase(line));
    }
    report(lines, options);
  } finally {
    await own.remove();
    await other?.remove();
    await postgres?.remove();
  }
}

interface Line extends Row {
  readonly folder: string;
  readonly runs: (Measured | null)[];
}

function linesOf(asked: Case, own: Bundle, other: RevisionBundle | undefined): readonly Line[] {
  const line: Line = { asked, folder: own.folder, runs: [] };
  if (!other || isYardstick(asked.contestant)) return [line];
  return [line, { asked, folder: other.folder, revision: other.revision, runs: [] }];
}

async function tryCase({ asked, folder, revision }: Line): Promise<Measured | null> {
  const name = `${asked.workload} ${asked.size} ${asked.batch ?? ''} ${asked.contestant} ${revision ?? ''}`;
  try {
    const measured = await runCase(folder, asked);
    console.error(`${name}: ${measured.ms.toFixed(1)} ms${measured.isVerified ? '' : ', and wrong'}`);
    return measured;
  } catch (error) {
    console.error(`${name} failed:`, error);
    return null;
  }
}

function report(lines: readonly Line[], options: Options): void {
  const rows = lines.map(({ folder, ...row }): Row => row);
  const [cpu] = cpus();
  const result: Result = {
    revision: execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim(),
    at: new Date().toISOString(),
    machine: {
      cpus: cpus().length,
      model: cpu?.model ?? 'unknown',
      memoryGb: Math.round(totalmem() / 1e9),
      node: process.version,
    },
    rows,
  };
  console.log(formatResult(result));
  if (options.against !== undefined) console.log(`\n${compareRevisions(rows)}`);
  const file = options.out ?? join(fileURLToPath(new URL('../results/', import.meta.url)), `${result.at}.json`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
  console.log(`\nWritten to ${file}`);
  const faults = options.quick ? findFaults(summarize(rows)) : [];
  for (const fault of faults) console.error(fault);
  if (faults.length > 0 || rows.some(({ runs }) => runs.some((run) => !run?.isVerified))) process.exitCode = 1;
}

function readResult(file: string): Result {
  return JSON.parse(readFileSync(file, 'utf8')) as Result;
}
