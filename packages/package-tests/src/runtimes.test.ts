/** The packages in runtimes beside Node and browsers: as Bun, Deno and Cloudflare's workerd run them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { run } from './run-command.js';

/** What `useDevices` in `fixtures/runtimes` sees where all goes well. */
const seen = { received: 300, live: 'seen', inConflict: ['Paint it red'], decided: 'Paint it red' };

const project = inject('userProject');
const require = createRequire(import.meta.url);

beforeAll(async () => {
  await cp(fileURLToPath(new URL('../fixtures/runtimes', import.meta.url)), project.folder, { recursive: true });
  const expectPackage = pathToFileURL(require.resolve('expect')).href;
  const forward = `import found from ${JSON.stringify(expectPackage)};\nexport const { expect } = found;\n`;
  await writeFile(join(project.folder, 'expect.js'), forward);
});

describe.each([
  {
    runtime: 'bun',
    devices: ['bun.ts'],
    suites: ['test', '--reporter=junit', '--reporter-outfile=bun.xml', 'bun-suites.test.ts'],
  },
  {
    runtime: 'deno',
    devices: ['run', '-A', '--unstable-sloppy-imports', 'deno.ts'],
    suites: ['test', '-A', '--no-check', '--unstable-sloppy-imports', '--junit-path=deno.xml', 'deno-suites.ts'],
  },
])('$runtime', ({ runtime, devices, suites }) => {
  const call = (args: readonly string[]) => run({ command: binary(runtime), args, cwd: project.folder });

  test('syncs between devices and a server, on its own SQLite', async () => {
    const folder = join(project.folder, runtime);
    await mkdir(folder);
    expect(JSON.parse(await call([...devices, folder]))).toEqual(seen);
  });

  test('passes the suites for storages and stores, in its own test framework', async () => {
    await call(suites);
    const report = await readFile(join(project.folder, `${runtime}.xml`), 'utf8');
    expect(report.match(/<testcase /g)?.length).toBeGreaterThan(80);
  });
});

test.each([
  ['in a Durable Object', 'in-object'],
  ['with its module', 'in-module'],
])('a Worker syncs with a server that lives %s', async (_, place) => {
  const origin = await serveWorker();
  const response = await fetch(`${origin}/?url=${origin}/${place}/api/sync`);
  expect(await response.json()).toEqual(seen);
});

function binary(name: string): string {
  return fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));
}

/** Serves `worker.ts`, bundled as an application is; answers its origin. */
async function serveWorker(): Promise<string> {
  await build({
    absWorkingDir: project.folder,
    entryPoints: ['worker.ts'],
    outfile: 'worker.js',
    bundle: true,
    format: 'esm',
    conditions: ['workerd', 'worker', 'browser'],
    external: ['node:*'],
  });
  const workerd: { readonly default: string } = require('workerd');
  const worker = spawn(workerd.default, ['serve', 'worker.capnp', '--control-fd=3'], {
    cwd: project.folder,
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
  const exited = once(worker, 'exit');
  onTestFinished(async () => {
    // Asked kindly, it waits for connections that are kept alive.
    worker.kill('SIGKILL');
    await exited;
  });
  for await (const line of createInterface({ input: worker.stdio[3] as Readable })) {
    const { event, port } = JSON.parse(line) as { readonly event: string; readonly port: number };
    if (event === 'listen') return `http://127.0.0.1:${port}`;
  }
  throw new Error('workerd ended before it listened.');
}
