/** The benches and the libraries of one revision as plain JavaScript, as an application would ship them. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build, type Plugin } from 'esbuild';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Drivers with native parts, and ObjectStack, are not bundled but found beside the bench. */
const EXTERNAL = ['libsql', 'pg', 'pg-native', '@objectstack/*'];

export interface Bundle {
  /** The folder with `worker.js` and `server-process.js`. */
  readonly folder: string;
  remove(): Promise<void>;
}

export interface RevisionBundle extends Bundle {
  /** The git revision whose libraries they are. */
  readonly revision: string;
}

/** Bundles the benches with the libraries in `root`, a checkout of this repository with its dependencies. */
export async function bundle(root = ROOT): Promise<Bundle> {
  await mkdir(join(ROOT, 'bench/.tmp'), { recursive: true });
  const folder = await mkdtemp(join(ROOT, 'bench/.tmp/bundle-'));
  await build({
    entryPoints: ['worker.ts', 'server-process.ts'].map((file) => join(ROOT, 'bench/src/process', file)),
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    external: EXTERNAL,
    plugins: [librariesOf(root)],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Of two revisions, each gets its own libraries and the same benches. */
function librariesOf(root: string): Plugin {
  return {
    name: 'libraries-of-a-revision',
    setup(builder) {
      builder.onResolve({ filter: /^@objectql\// }, ({ path, kind, importer }) =>
        // A package of that checkout which depends on them all.
        importer.startsWith(join(ROOT, 'bench'))
          ? builder.resolve(path, { kind, resolveDir: join(root, 'packages/end-to-end') })
          : undefined,
      );
    },
  };
}

/** The same for another revision, from a checkout of its own that is gone afterwards. */
export async function bundleRevision(revision: string): Promise<RevisionBundle> {
  const checkout = await mkdtemp(join(tmpdir(), 'objectql-sync-revision-'));
  try {
    await run('git', ['worktree', 'add', '--detach', checkout, revision], { cwd: ROOT });
    await run('npx', ['-y', 'pnpm@10', 'install', '--frozen-lockfile', '--prefer-offline'], { cwd: checkout });
    return { ...(await bundle(checkout)), revision };
  } finally {
    await run('git', ['worktree', 'remove', '--force', checkout], { cwd: ROOT });
  }
}
