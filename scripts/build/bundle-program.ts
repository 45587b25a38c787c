/**
 * Programs of this repository for plain Node. What starts one often bundles it: `tsx` reads everything that is loaded,
 * libraries included, and ObjectStack then takes eight seconds to start in place of three.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { build, type Plugin } from 'esbuild';

/**
 * Bundles the TypeScript program at `path`, absolute, with the packages of this repository that it imports; answers the
 * file, in the folder `.tmp` of its package. Throws what keeps it from being built.
 */
export async function bundleProgram(path: string): Promise<string> {
  const packageFolder = packageOf(path);
  const file = join(packageFolder, '.tmp/programs', `${relative(packageFolder, path).replaceAll(/[\\/]/g, '__')}.mjs`);
  const written = `${file}.${randomUUID()}`;
  await mkdir(dirname(file), { recursive: true });
  await build({
    entryPoints: [path],
    outfile: written,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    conditions: ['node', 'import'],
    plugins: [othersStayOutside],
    sourcemap: 'inline',
    logLevel: 'silent',
  });
  // In one step, since another process may start it meanwhile.
  await rename(written, file);
  return file;
}

function packageOf(path: string): string {
  const folder = dirname(path);
  return existsSync(join(folder, 'package.json')) ? folder : packageOf(folder);
}

/** Packages from elsewhere are found from where they are imported, which the bundle is not. */
const othersStayOutside: Plugin = {
  name: 'others-stay-outside',
  setup(builder) {
    builder.onResolve({ filter: /^[^./]/ }, async ({ path, kind, resolveDir, pluginData, ...from }) => {
      if (kind === 'entry-point' || path.startsWith('@objectql/') || pluginData === othersStayOutside) return undefined;
      const options = { kind, resolveDir, importer: from.importer, pluginData: othersStayOutside };
      const found = await builder.resolve(path, options);
      // What is not installed may be an optional one that is not loaded either.
      return { path: found.errors.length > 0 ? path : found.path, external: true };
    });
  },
};
