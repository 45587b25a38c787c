/** A project like a user's: empty but for the packages, installed from their tarballs. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type PublishedPackage, publishedPackages } from './published-package.js';
import { runPnpm } from './run-command.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface UserProject {
  readonly folder: string;
  /** The tarball of each package, by its name. */
  readonly tarballs: ReadonlyMap<string, string>;
  remove(): Promise<void>;
}

/** Builds and packs all packages and installs them where nothing of this repository can be found. */
export async function createUserProject(): Promise<UserProject> {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-user-'));
  const tarballs = new Map<string, string>();
  await runPnpm(['run', 'build'], ROOT);
  for (const published of publishedPackages) {
    tarballs.set(published.manifest.name, await pack(published, folder));
  }
  const files = Object.fromEntries([...tarballs].map(([name, tarball]) => [name, `file:${tarball}`]));
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies: files, pnpm: { overrides: files } }, null, 2),
  );
  await runPnpm(['install', '--prefer-offline', '--ignore-workspace', '--no-frozen-lockfile'], folder);
  return { folder, tarballs, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function pack({ folder, manifest }: PublishedPackage, destination: string): Promise<string> {
  const target = join(destination, 'tarballs', manifest.name.replace('/', '-'));
  // Packing builds by itself; here the documented command has just done it.
  await runPnpm(['--config.ignore-scripts=true', 'pack', '--pack-destination', target], folder);
  const [tarball] = await readdir(target);
  if (tarball === undefined) throw new Error(`pnpm pack left no tarball of ${manifest.name} in ${target}.`);
  return join(target, tarball);
}
