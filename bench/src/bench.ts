/**
 * `pnpm bench`: runs every workload by every contestant in turn, prints tables and writes them as JSON.
 *
 *   --quick                        small sizes; fails when a ratio is far outside
 *   --workloads W1,W5              these alone         --contestants floor,memory    these alone
 *   --size 1000000                 another size        --batch 100                   mutations in one push
 *   --reps 5                       repetitions         --out bench/results/a.json    where the JSON goes
 *   --against <git revision>       the same cases with that revision's libraries, in turn with these
 *   --compare a.json b.json        compares two files and runs nothing
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startPostgres } from '../../packages/protocol-sync/src/storage/postgres-server.fixture.js';
import { type Case, isYardstick, type Measured } from './case.js';
import { needsPostgres, planCases } from './plan.js';
import { type Bundle, bundle, bundleRevision } from './process/bundle.js';
import { runCase } from './process/run-case.js';
import { compareResults, compareRevisions } from './report/compare.js';
import { findFaults } from './report/limits.js';
import { type Result, type Row, summarize } from './report/result.js';
import { formatResult } from './report/table.js';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    workloads: { type: 'string' },
    contestants: { type: 'string' },
    size: { type: 'string' },
    batch: { type: 'string' },
    reps: { type: 'string' },
    out: { type: 'string' },
    against: { type: 'string' },
    compare: { type: 'boolean', default: false },
  },
});

if (options.compare) {
  const [before, after] = positionals.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Result);
  if (!before || !after) throw new Error('Name two files: pnpm bench --compare before.json after.json');
  console.log(compareResults(before, after));
} else {
  await run();
}

async function run(): Promise<void> {
  const cases = planCases({
    isQuick: options.quick,
    workloads: options.workloads?.split(','),
    contestants: options.contestants?.split(','),
    size: options.size === undefined ? undefined : Number(options.size),
    batch: options.batch === undefined ? undefined : Number(options.batch),
  });
  const postgres = cases.some(({ contestant }) => needsPostgres(contestant)) ? await startPostgres() : undefined;
  const own = await bundle();
  const other = options.against === undefined ? undefined : await bundleRevision(options.against);
  try {
    const lines = cases.flatMap((planned) => {
      const asked = needsPostgres(planned.contestant) ? { ...planned, postgresUrl: postgres?.url ?? '' } : planned;
      return linesOf(asked, own, other);
    });
    // Repetitions are the outer loop, so that whatever else loads the machine falls on all contestants alike.
    for (let repetition = 0; repetition < Number(options.reps ?? (options.quick ? 1 : 3)); repetition++) {
      for (const line of lines) line.runs.push(await tryCase(line));
    }
    report(lines);
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

function linesOf(asked: Case, own: Bundle, other: Bundle | undefined): readonly Line[] {
  const line: Line = { asked, folder: own.folder, runs: [] };
  if (!other || isYardstick(asked.contestant)) return [line];
  return [line, { asked, folder: other.folder, revision: options.against ?? '', runs: [] }];
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

function report(lines: readonly Line[]): void {
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
  if (faults.length > 0 || rows.some(({ runs }) => runs.includes(null))) process.exitCode = 1;
}
