/** Builds the app once for each state of its sources. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const APP = fileURLToPath(new URL('../', import.meta.url));
const FOLDER = join(APP, 'dist');
const MARK = join(FOLDER, '.sources');
/** What the bundle is made of; of the packages their sources, which the app imports. */
const SOURCES = [
  'index.html',
  'objects.ts',
  'vite.config.ts',
  'server',
  'package.json',
  'src',
  'public',
  '../../packages/plugin-sync/src',
  '../../packages/sync-types/src',
  '../../pnpm-lock.yaml',
];

/** Builds the app unless the last build was of the same sources, and answers the folder it is in. */
export async function buildApp(tell: (line: string) => void): Promise<string> {
  const hash = createHash('sha256');
  for (const source of SOURCES) addToHash(hash, join(APP, source));
  const sources = hash.digest('hex');
  if (existsSync(MARK) && readFileSync(MARK, 'utf8') === sources) return FOLDER;
  tell('Building the app …');
  // Vite leaves it alone where it is set, and tests set it: users then got React's development build.
  process.env.NODE_ENV = 'production';
  // Loaded when there is something to build: it takes longer to load than everything else.
  const { build } = await import('vite');
  await build({ root: APP, logLevel: 'warn' });
  writeFileSync(MARK, sources);
  tell('Built.');
  return FOLDER;
}

function addToHash(hash: ReturnType<typeof createHash>, path: string): void {
  const entries = isFolder(path) ? readdirSync(path).toSorted() : undefined;
  if (entries) for (const entry of entries) addToHash(hash, join(path, entry));
  else hash.update(path).update(readFileSync(path));
}

function isFolder(path: string): boolean {
  return !/\.[a-z]+$/.test(path);
}
