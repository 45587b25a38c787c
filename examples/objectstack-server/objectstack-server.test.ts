import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const tsx = createRequire(import.meta.url).resolve('tsx/cli');
const FILES = ['./server.ts', './devices.ts', './local-engine.ts'];

/** What a program printed, less ObjectStack's own messages. */
async function printed(program: string): Promise<readonly string[]> {
  const file = fileURLToPath(new URL(program, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [tsx, file]);
  return stdout.split('\n').filter((line) => /^(on the laptop|by REST|refused|from the engine, by REST):/.test(line));
}

it('brings what was written offline to another device and to REST, says why a write was refused, and ends', async () => {
  expect(await printed('./devices.ts')).toEqual([
    'on the laptop: Paint the door new',
    'by REST: 200',
    'refused: title: Title is required',
  ]);
});

it('brings what was written into a local data engine to the server, and ends', async () => {
  expect(await printed('./local-engine.ts')).toEqual(['from the engine, by REST: 200']);
});

it('is what the guide shows', () => {
  const guide = read('../../docs/objectstack.md');
  for (const file of FILES) expect(guide).toContain(read(file).trim());
});

it('needs what the guide has people install, and no more', () => {
  const installed = read('../../docs/objectstack.md').matchAll(/^npm install (.+)$/gm);
  const packages = Array.from(installed, ([, names = '']) => names.split(' ')).flat();
  const imports = FILES.flatMap((file) =>
    Array.from(read(file).matchAll(/ from '(@\w+\/[\w-]+)/g), ([, name = '']) => name),
  );
  // `tsx` runs the programs; the others load `@objectstack/core` where it is beside them.
  const needed = [...new Set([...imports, '@objectstack/core', 'tsx'])];
  // Without its number, npm on Node 20 takes ObjectStack 16.
  const named = needed.map((name) => (name.startsWith('@objectstack/') ? `${name}@17` : name));
  expect(packages.toSorted()).toEqual(named.toSorted());
});
