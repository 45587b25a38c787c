/** The packages in runtimes beside Node and browsers: as Bun, Deno and Cloudflare's workerd run them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { limits } from '../../../vitest.limits.js';
import { programInDocs } from './program-in-docs.js';
import { run } from './run-command.js';
import { userProject } from './user-project.js';

/** What `useDevices` in `fixtures/runtimes` sees where all goes well. */
const seen = { received: 300, live: 'seen', inConflict: ['Paint it red'], decided: 'Paint it red' };

const project = await userProject();
const require = createRequire(import.meta.url);

beforeAll(async () => {
  const expectPackage = require.resolve('expect');
  const forward = `import found from ${JSON.stringify(expectPackage)};\nexport const { expect } = found;\n`;
  await writeFile(join(project.folder, 'expect.js'), forward);
});

describe.each([
  {
    runtime: 'bun',
    devices: ['bun.ts'],
    suites: [
      'test',
      `--timeout=${limits.testTimeout}`,
      '--reporter=junit',
      '--reporter-outfile=bun.xml',
      'bun-suites.test.ts',
    ],
  },
  {
    runtime: 'deno',
    devices: ['run', '-A', '--unstable-sloppy-imports', 'deno.ts'],
    suites: ['test', '-A', '--no-check', '--unstable-sloppy-imports', '--junit-path=deno.xml', 'deno-suites.ts'],
  },
])('$runtime', ({ runtime, devices, suites }) => {
  const start = (args: readonly string[]) => run({ command: binary(runtime), args, cwd: project.folder });

  test('syncs between devices and a server, on its own SQLite', async () => {
    const folder = join(project.folder, runtime);
    await mkdir(folder);
    expect(JSON.parse(await start([...devices, folder]))).toEqual(seen);
  });

  test('passes the suites for storages and stores, in its own test framework', async () => {
    await start(suites);
    const report = await readFile(join(project.folder, `${runtime}.xml`), 'utf8');
    expect(report.match(/<testcase /g)?.length).toBeGreaterThan(80);
  });
});

describe('workerd', () => {
  beforeAll(async () => {
    await mkdir(join(project.folder, 'objects'));
    await bundleWorker();
  });

  test.each([
    ['in a Durable Object', 'in-object'],
    ['with its module', 'in-module'],
  ])('a Durable Object syncs with a server that lives %s', async (_, place) => {
    const { origin } = await serveWorker();
    expect(await call(`${origin}/use?phone=${place}&url=${origin}/${place}/api/sync`)).toEqual(seen);
  });

  test('a Durable Object keeps what it stored and did not send, and a server what it answered, when killed', async () => {
    const first = await serveWorker();
    const urlAt = (origin: string) => `${origin}/in-object/api/sync`;
    await call(`${first.origin}/use?phone=killed&url=${urlAt(first.origin)}`);
    await call(`${first.origin}/edit?phone=killed&url=http://127.0.0.1:1`);
    await first.kill();
    const { origin } = await serveWorker();
    const kept = await call(`${origin}/again?phone=killed&url=${urlAt(origin)}`);
    expect(kept).toEqual({ kept: 300, pending: 'Paint it green', arrived: 'Paint it green' });
  });

  test('passes the suites for storages and stores, on the SQLite of Durable Objects', async () => {
    const { origin } = await serveWorker();
    const titles = (await call(`${origin}/tests`)) as readonly string[];
    expect(titles.length).toBeGreaterThan(80);
    const failures: unknown[] = [];
    for (const [index, title] of titles.entries()) {
      const failure = await call(`${origin}/test?test=${index}`);
      if (failure !== null) failures.push(`${title}: ${failure}`);
    }
    expect(failures).toEqual([]);
  });
});

function binary(name: string): string {
  return fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));
}

async function call(url: string): Promise<unknown> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`);
  return response.json();
}

/** Bundles `worker.ts` as an application is, with the server of the page on running one. */
async function bundleWorker(): Promise<void> {
  const server = await programInDocs('docs/running.md', "'cloudflare:workers'");
  await writeFile(join(project.folder, 'running.ts'), server);
  await build({
    absWorkingDir: project.folder,
    entryPoints: ['worker.ts'],
    outfile: 'worker.js',
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*', 'cloudflare:*'],
    nodePaths: [fileURLToPath(new URL('../node_modules', import.meta.url))],
  });
}

interface ServedWorker {
  readonly origin: string;
  /** Ends it at once, without a chance to save anything. */
  kill(): Promise<void>;
}

/** Serves the bundle until the test ends. Its objects are those that the one before it left on the disk. */
async function serveWorker(): Promise<ServedWorker> {
  const workerd: { readonly default: string } = require('workerd');
  const worker = spawn(workerd.default, ['serve', 'worker.capnp', '--control-fd=3'], {
    cwd: project.folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const exited = once(worker, 'exit');
  const kill = async () => {
    // Asked kindly, it would also wait for connections that are kept alive.
    worker.kill('SIGKILL');
    await exited;
  };
  onTestFinished(kill);
  for await (const line of createInterface({ input: worker.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { readonly event: string; readonly port: number };
    if (event === 'listen') return { origin: `http://127.0.0.1:${port}`, kill };
  }
  throw new Error('workerd ended before it listened.');
}
