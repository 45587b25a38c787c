/** Builds the project of `user-project.ts`, once for all tests. */
import { once } from 'node:events';
import { cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { type PublishedPackage, publishedPackages } from './published-package.js';
import { runPnpm } from './run-command.js';
import type { BuildResult, UserProject } from './user-project.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Begins to build, and answers what removes it. Does not wait: a set-up that takes a minute would hold up every test. */
export async function setup(tests: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-user-'));
  const result: Promise<BuildResult> = buildUserProject(folder).then(
    (project) => ({ status: 'built', project }),
    (error) => ({ status: 'failed', why: String(error) }),
  );
  const server = createServer(async (socket) => socket.end(JSON.stringify(await result)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  tests.provide('userProjectPort', (server.address() as AddressInfo).port);
  return async () => {
    await result;
    server.close();
    await rm(folder, { recursive: true, force: true });
  };
}

/** Builds and packs all packages and installs them where nothing of this repository can be found. */
async function buildUserProject(folder: string): Promise<UserProject> {
  const tarballs: Record<string, string> = {};
  await runPnpm(['run', 'build'], ROOT);
  for (const published of publishedPackages) {
    tarballs[published.manifest.name] = await pack(published, folder);
  }
  const files = Object.fromEntries(Object.entries(tarballs).map(([name, tarball]) => [name, `file:${tarball}`]));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: files, pnpm: { overrides: files } }, null, 2),
  );
  // Here, and not in the files that use them, which run at the same time: a copy replaces what is there.
  await cp(fileURLToPath(new URL('../fixtures/runtimes', import.meta.url)), folder, { recursive: true });
  await runPnpm(['install', '--prefer-offline', '--ignore-workspace', '--no-frozen-lockfile'], folder);
  return { folder, tarballs };
}

async function pack({ folder, manifest }: PublishedPackage, destination: string): Promise<string> {
  const target = join(destination, 'tarballs', manifest.name.replace('/', '-'));
  // Packing builds by itself; here the documented command has just done it.
  await runPnpm(['--config.ignore-scripts=true', 'pack', '--pack-destination', target], folder);
  const [tarball] = await readdir(target);
  if (tarball === undefined) throw new Error(`pnpm pack left no tarball of ${manifest.name} in ${target}.`);
  return join(target, tarball);
}
