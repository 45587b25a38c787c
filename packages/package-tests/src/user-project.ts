/** A project like a user's: empty but for the packages, installed from their tarballs. Set up once for all tests. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { type PublishedPackage, publishedPackages } from './published-package.js';
import { runPnpm } from './run-command.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface UserProject {
  readonly folder: string;
  /** The tarball of each package, by its name. */
  readonly tarballs: Readonly<Record<string, string>>;
}

declare module 'vitest' {
  interface ProvidedContext {
    userProject: UserProject;
  }
}

/** Provides `userProject`; answers what removes it. */
export async function setup(tests: TestProject): Promise<() => Promise<void>> {
  const project = await createUserProject();
  tests.provide('userProject', project);
  return () => rm(project.folder, { recursive: true, force: true });
}

/** Builds and packs all packages and installs them where nothing of this repository can be found. */
async function createUserProject(): Promise<UserProject> {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-user-'));
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
