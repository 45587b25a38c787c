import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const tsx = createRequire(import.meta.url).resolve('tsx/cli');

it('brings what was written offline to another device and to REST, says why a write was refused, and ends', async () => {
  const devices = fileURLToPath(new URL('./devices.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [tsx, devices], { timeout: 60_000 });
  expect(stdout.split('\n').filter((line) => /^(on the laptop|by REST|refused):/.test(line))).toEqual([
    'on the laptop: Paint the door new',
    'by REST: 200',
    'refused: title: Title is required',
  ]);
});

it('is what the guide shows', () => {
  const guide = read('../../docs/objectstack.md');
  for (const file of ['./server.ts', './devices.ts']) expect(guide).toContain(read(file).trim());
});

it('needs what the guide has people install, and no more', () => {
  const installed = read('../../docs/objectstack.md').matchAll(/^npm install (.+)$/gm);
  const packages = Array.from(installed, ([, names = '']) => names.split(' ')).flat();
  const imports = ['./server.ts', './devices.ts'].flatMap((file) =>
    Array.from(read(file).matchAll(/ from '(@\w+\/[\w-]+)/g), ([, name = '']) => name),
  );
  // `tsx` runs the programs; the others load `@objectstack/core` where it is beside them.
  const needed = [...new Set([...imports, '@objectstack/core', 'tsx'])];
  // Without its number, npm on Node 20 takes ObjectStack 16.
  const named = needed.map((name) => (name.startsWith('@objectstack/') ? `${name}@17` : name));
  expect(packages.toSorted()).toEqual(named.toSorted());
});
