/** The house rules really fire: each is broken in a project of its own, linted with this repository's configuration. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const CLOCK = 'Only a platform/ folder reads the clock: take `now()` from the Platform.';
const RANDOM = 'Only a platform/ folder makes randomness: take it from the Platform.';
const HOST = 'Only a platform/ folder touches the host: take it from the Platform.';
const SIDES = 'Client and server never import each other: share through @objectql/sync-types.';

let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'lint-rules-'));
  await cp(join(ROOT, 'biome.json'), join(project, 'biome.json'));
  await cp(join(ROOT, 'scripts/lint'), join(project, 'scripts/lint'), { recursive: true });
});

afterAll(() => rm(project, { recursive: true }));

test('only a platform folder touches clock, randomness, timers and host', async () => {
  const code = [
    'export const clock = [Date.now, Date.now(), new Date(), performance.now()];',
    'export const random = [Math.random(), crypto.randomUUID(), globalThis.crypto];',
    'export const timers = [setTimeout, setInterval];',
    'export const host = navigator.onLine;',
    'export const pure = [new Date(0), new Date(clock.length), globalThis.fetch];',
  ].join('\n');
  const found = await lint({
    'packages/plugin-sync/src/engine.ts': code,
    'packages/protocol-sync/src/http/engine.ts': code,
    'packages/plugin-sync/src/platform/engine.ts': code,
    'packages/plugin-sync/src/engine.test.ts': code,
  });
  const expected = [
    `1 ${CLOCK}`,
    `1 ${CLOCK}`,
    `1 ${CLOCK}`,
    '1 Do not use the global variable performance.',
    `2 ${RANDOM}`,
    '2 Do not use the global variable crypto.',
    `2 ${HOST}`,
    '3 Do not use the global variable setTimeout.',
    '3 Do not use the global variable setInterval.',
    '4 Do not use the global variable navigator.',
  ];
  expect(found).toEqual({
    'packages/plugin-sync/src/engine.ts': expected.toSorted(),
    'packages/protocol-sync/src/http/engine.ts': expected.toSorted(),
  });
});

test('client and server never import each other, not even in tests', async () => {
  const found = await lint({
    'packages/plugin-sync/src/a.test.ts': "import '@objectql/protocol-sync';",
    'packages/plugin-sync/test/b.ts': "import '../../protocol-sync/src/index.js';",
    'packages/protocol-sync/src/c.test.ts': "import '@objectql/plugin-sync/react';",
    'packages/sync-simulation/src/d.test.ts': "import '@objectql/protocol-sync';\nimport '@objectql/plugin-sync';",
  });
  expect(found).toEqual({
    'packages/plugin-sync/src/a.test.ts': [`1 ${SIDES}`],
    'packages/plugin-sync/test/b.ts': [`1 ${SIDES}`],
    'packages/protocol-sync/src/c.test.ts': [`1 ${SIDES}`],
  });
});

test('imports make no cycle', async () => {
  const found = await lint({
    'packages/sync-types/src/egg.ts': "import { hen } from './hen.js';\nexport const egg = () => hen;\n",
    'packages/sync-types/src/hen.ts': "import { egg } from './egg.js';\nexport const hen = () => egg;\n",
  });
  expect(found).toEqual({
    'packages/sync-types/src/egg.ts': ['1 This import is part of a cycle.'],
    'packages/sync-types/src/hen.ts': ['1 This import is part of a cycle.'],
  });
});

test('exports are named, promises are awaited, Node modules say so, parameters are at most three', async () => {
  const found = await lint({
    'packages/sync-types/src/shape.test.ts': [
      "import { readFileSync } from 'fs';",
      'export default readFileSync;',
      "export * from './other.js';",
      'export enum Side { Client, Server }',
      'export async function send(): Promise<void> {}',
      'export function fire(): void { send(); }',
      'export function four(a: number, b: number, c: number, d: number): number { return a + b + c + d; }',
      'export const cast: any = 1;',
    ].join('\n'),
  });
  const lines = found['packages/sync-types/src/shape.test.ts']?.map((line) => Number(line.split(' ')[0]));
  expect(lines).toEqual([1, 2, 3, 4, 6, 7, 8]);
});

test('files are named in kebab-case and end before line 400', async () => {
  const found = await lint({
    'packages/sync-types/src/camelCase.ts': 'export const a = 1;\n',
    'packages/sync-types/src/kebab-case.browser.test.ts': 'export const a = 1;\n',
    'packages/sync-types/src/endless.ts': 'export {};\n'.repeat(401),
  });
  expect(Object.keys(found)).toEqual(['packages/sync-types/src/camelCase.ts', 'packages/sync-types/src/endless.ts']);
});

/** Lints these files alone; gives `line message` of each finding, by file. */
async function lint(files: Readonly<Record<string, string>>): Promise<Record<string, string[]>> {
  await rm(join(project, 'packages'), { recursive: true, force: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(project, path)), { recursive: true });
    await writeFile(join(project, path), content);
  }
  const report = await runBiome();
  const found: Record<string, string[]> = {};
  for (const { message, location } of report.diagnostics) {
    found[location.path] = [...(found[location.path] ?? []), `${location.start.line} ${message}`].toSorted();
  }
  return found;
}

interface BiomeReport {
  readonly diagnostics: readonly {
    readonly message: string;
    readonly location: { readonly path: string; readonly start: { readonly line: number } };
  }[];
}

function runBiome(): Promise<BiomeReport> {
  const biome = join(ROOT, 'node_modules/.bin/biome');
  const args = ['lint', '--vcs-enabled=false', '--reporter=json', '--diagnostic-level=error', 'packages'];
  return new Promise((resolve, reject) => {
    // Biome ends with 1 when it finds something, which is what is asked for here.
    execFile(biome, args, { cwd: project }, (error, stdout) => {
      if (stdout === '') reject(error ?? new Error('Biome printed no report.'));
      else resolve(JSON.parse(stdout) as BiomeReport);
    });
  });
}
