import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { libraryConfig, publishedExports } from './library-config.js';

const EXPORTS = {
  '.': './src/index.ts',
  './http/hono': './src/http/adapters/hono.ts',
  './kernel': { browser: './src/kernel/host.ts', default: './src/kernel/real.ts' },
  './package.json': './package.json',
};

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'library-config-'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ exports: EXPORTS }));
});

afterAll(() => rm(folder, { recursive: true }));

test('builds a file for each source that is exported, named after its subpath', () => {
  const { entry } = libraryConfig(pathToFileURL(join(folder, 'tsup.config.ts')).href);
  expect(entry).toEqual({
    index: './src/index.ts',
    'http/hono': './src/http/adapters/hono.ts',
    'kernel.browser': './src/kernel/host.ts',
    kernel: './src/kernel/real.ts',
  });
});

test('publishes what was built, under the same subpaths and conditions', () => {
  const files = (name: string) => ({
    import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
  });
  expect(publishedExports(EXPORTS)).toEqual({
    '.': files('index'),
    './http/hono': files('http/hono'),
    './kernel': { browser: files('kernel.browser'), default: files('kernel') },
    './package.json': './package.json',
  });
});
