/** Schedules that once failed: they are kept whole, and run for ever. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plan } from './plan.js';
import type { Violation } from './violation.js';

/** A schedule and the invariant that it once broke. */
export interface KeptSeed {
  readonly broke: Violation;
  readonly plan: Plan;
}

const FOLDER = fileURLToPath(new URL('../seeds', import.meta.url));

/** All kept schedules, by file name. */
export function keptSeeds(): readonly (readonly [string, KeptSeed])[] {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => [name, JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))]);
}

/** Keeps a schedule; answers the path of its file. */
export function keepSeed(kept: KeptSeed): string {
  mkdirSync(FOLDER, { recursive: true });
  const path = join(FOLDER, `${kept.plan.seed}-${kept.broke.invariant}.json`);
  writeFileSync(path, `${JSON.stringify(kept)}\n`);
  return path;
}
