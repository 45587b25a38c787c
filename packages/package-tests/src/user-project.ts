/** A project like a user's: empty but for the packages, installed from their tarballs. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PublishedPackage, publishedPackages } from './published-package.js';
import { runPnpm, runTool } from './run-command.js';

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
  // One after another: two builds at once on two cores starve the other tests.
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
  await runTool('tsup', ['--silent'], folder);
  const target = join(destination, 'tarballs', manifest.name.replace('/', '-'));
  await runPnpm(['pack', '--pack-destination', target], folder);
  const [tarball] = await readdir(target);
  if (tarball === undefined) throw new Error(`pnpm pack left no tarball of ${manifest.name} in ${target}.`);
  return join(target, tarball);
}
