/** The packages as users get them: packed, installed in an empty project, loaded, type-checked and bundled. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { build } from 'esbuild';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, test } from 'vitest';
import { type LoadingReport, loadingScript } from './loading-script.js';
import { publishedPackages } from './published-package.js';
import { run } from './run-command.js';
import { suitesScript } from './suites-script.js';
import { type AppTypes, BROWSER_OPTIONS, NODE_OPTIONS, typeCheckApp } from './type-check-app.js';
import { userProject } from './user-project.js';

const project = await userProject();
const specifiers = publishedPackages.flatMap((published) => published.specifiers);
const optionalPeers = publishedPackages.flatMap(({ manifest }) => Object.keys(manifest.peerDependencies ?? {}));

describe('loading', () => {
  for (const format of ['esm', 'cjs'] as const) {
    test(`${format} gives what the sources export, each value once, and misses optional peers only`, async () => {
      const report = await load(format);
      for (const [specifier, loaded] of Object.entries(report.loaded)) {
        if ('missing' in loaded) expect(optionalPeers).toContain(packageOf(loaded.missing));
        else expect([specifier, loaded.names]).toEqual([specifier, await sourceNames(specifier)]);
      }
      expect(Object.keys(report.loaded)).toEqual(specifiers);
      expect(report.split).toEqual([]);
    });
  }

  test('the documented names are where the documentation imports them from', async () => {
    const { loaded } = await load('esm');
    expect(loaded).toMatchObject({
      '@objectql/plugin-sync': { names: expect.arrayContaining(['MutationLogger', 'SyncEngine', 'SyncPlugin']) },
      '@objectql/protocol-sync': { names: expect.arrayContaining(['SyncHandler', 'SyncProtocolPlugin']) },
    });
  });

  async function load(format: 'esm' | 'cjs'): Promise<LoadingReport> {
    const script = join(project.folder, format === 'esm' ? 'load.mjs' : 'load.cjs');
    await writeFile(script, loadingScript(specifiers, format));
    return JSON.parse(await run({ command: process.execPath, args: [script], cwd: project.folder })) as LoadingReport;
  }
});

test('the suites for storages and stores run in the test framework of Node', async () => {
  const script = join(project.folder, 'suites.test.mjs');
  await writeFile(script, suitesScript(createRequire(import.meta.url).resolve('expect')));
  const args = ['--test', '--test-reporter=tap', script];
  const report = await run({ command: process.execPath, args, cwd: project.folder });
  expect(report).toMatch(/^# fail 0$/m);
  expect(Number(/^# pass (\d+)$/m.exec(report)?.[1])).toBeGreaterThan(50);
});

// `oldest-typescript` is the one that the quick start asks for.
describe.each(['typescript', 'oldest-typescript'])('types, as %s reads them,', (compiler) => {
  test('let a browser app with a bundler type-check, as the documentation writes it', async () => {
    const app: AppTypes = {
      compiler,
      compilerOptions: BROWSER_OPTIONS,
      endings: ['.ts'],
      specifiers: specifiers.filter((specifier) => packageOf(specifier) !== '@objectql/protocol-sync'),
      programs: ['users-guide-client.ts', 'exported-client.ts'],
    };
    expect(await typeCheckApp(project.folder, app)).toBe('');
  });

  test('let a Node app type-check, as an ES module, as CommonJS and as the documentation writes it', async () => {
    const app: AppTypes = {
      compiler,
      compilerOptions: NODE_OPTIONS,
      endings: ['.mts', '.cts'],
      specifiers,
      // Not the client's program: it returns `res.json()`, which Node's types call unknown and the browser's any.
      programs: ['users-guide-server.ts', 'exported-server.ts'],
    };
    expect(await typeCheckApp(project.folder, app)).toBe('');
  });
});

for (const { manifest } of publishedPackages) {
  describe(`the tarball of ${manifest.name}`, () => {
    test('passes publint', async () => {
      const installed = join(project.folder, 'node_modules', manifest.name);
      const { messages, pkg } = await publint({ pkgDir: installed, level: 'suggestion', strict: true, pack: false });
      expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
    });

    test('has types that are right under every module resolution', async () => {
      const tarball = await readFile(project.tarballs[manifest.name] ?? '');
      const result = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
      expect('problems' in result ? result.problems : result).toEqual([]);
    });

    test('has source maps whose every source is in them or beside them', async () => {
      const dist = join(project.folder, 'node_modules', manifest.name, 'dist');
      const files = await readdir(dist);
      const missing: string[] = [];
      for (const file of files.filter((name) => name.endsWith('.map'))) {
        const map: SourceMap = JSON.parse(await readFile(join(dist, file), 'utf8'));
        missing.push(...map.sources.filter((source, index) => !map.sourcesContent?.[index] && !files.includes(source)));
      }
      expect(missing).toEqual([]);
    });

    test('holds what was built and nothing else', async () => {
      const list = await run({
        command: 'tar',
        args: ['-tzf', project.tarballs[manifest.name] ?? ''],
        cwd: project.folder,
      });
      const others = list
        .split('\n')
        .filter(
          (file) => !/^package\/(dist\/.+\.(js|cjs|d\.ts|d\.cts|map)|LICENSE|README\.md|package\.json|)$/.test(file),
        );
      expect(others.filter((file) => file !== '')).toEqual([]);
    });
  });
}

describe('a bundle for browsers', () => {
  /** Subpaths that say they are for Node. */
  const NODE_ONLY = ['@objectql/plugin-sync/file', '@objectql/plugin-sync/objectstack'];
  const client = specifiers.filter((specifier) => packageOf(specifier) === '@objectql/plugin-sync');

  for (const specifier of client.filter((candidate) => !NODE_ONLY.includes(candidate))) {
    test(`of ${specifier} holds no Node module, no parser and no ObjectStack code`, async () => {
      const { inputs, externals, code } = await bundle(specifier);
      expect(inputs.filter((input) => /node_modules\/(zod|yaml|@objectstack|react)\//.test(input))).toEqual([]);
      expect(externals.filter((external) => !optionalPeers.includes(packageOf(external)))).toEqual([]);
      console.log(`${specifier} for browsers: ${code.length} bytes, ${gzipSync(code, { level: 9 }).length} bytes gz`);
    });
  }

  async function bundle(specifier: string): Promise<BrowserBundle> {
    const { metafile, outputFiles } = await build({
      stdin: { contents: `export * from '${specifier}';`, resolveDir: project.folder },
      absWorkingDir: project.folder,
      bundle: true,
      minify: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      external: optionalPeers,
      metafile: true,
      write: false,
      logLevel: 'silent',
    });
    return {
      inputs: Object.keys(metafile.inputs),
      externals: Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path)),
      code: outputFiles[0]?.text ?? '',
    };
  }
});

describe('a bundle for Node', () => {
  const LOADING = {
    esm: "import { SyncHandler } from '@objectql/protocol-sync';",
    cjs: "const { SyncHandler } = require('@objectql/protocol-sync');",
  };
  for (const format of ['esm', 'cjs'] as const) {
    test(`of a server in ${format} needs nothing of ObjectStack`, async () => {
      const pull = "new SyncHandler().handlePull({ clientId: 'phone', lastCheckpoint: null })";
      const contents = `${LOADING[format]} ${pull}.then(({ serverChanges }) => console.log(serverChanges));`;
      const { outputFiles } = await build({
        stdin: { contents, resolveDir: project.folder },
        absWorkingDir: project.folder,
        bundle: true,
        platform: 'node',
        format,
        write: false,
        logLevel: 'silent',
      });
      const script = join(project.folder, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs');
      await writeFile(script, outputFiles[0]?.text ?? '');
      expect(await run({ command: process.execPath, args: [script], cwd: project.folder })).toBe('[]\n');
    });
  }
});

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent?: readonly (string | null)[];
}

interface BrowserBundle {
  readonly inputs: readonly string[];
  /** What the bundle still imports when it runs. */
  readonly externals: readonly string[];
  readonly code: string;
}

async function sourceNames(specifier: string): Promise<readonly string[]> {
  const exported: object = await import(specifier);
  return Object.keys(exported).toSorted();
}

/** `react/jsx-runtime` belongs to `react`, `@objectstack/runtime/x` to `@objectstack/runtime`. */
function packageOf(module: string): string {
  return module
    .split('/')
    .slice(0, module.startsWith('@') ? 2 : 1)
    .join('/');
}
