/** How every published package is built: ESM, CommonJS and types for each subpath that its package.json exports. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Options } from 'tsup';

/** The tsup options of the package whose `tsup.config.ts` is at `configUrl`; its entries are read from `exports`. */
export function libraryConfig(configUrl: string): Options {
  const manifest: { readonly exports: unknown } = JSON.parse(readFileSync(new URL('package.json', configUrl), 'utf8'));
  return {
    entry: Object.fromEntries(sourcesOf(manifest.exports).map((source) => [entryName(source), source])),
    format: ['esm', 'cjs'],
    // Subpaths share chunks, so that a class is the same class whichever subpath it came through.
    splitting: true,
    dts: true,
    clean: true,
    sourcemap: true,
    target: 'es2022',
    tsconfig: fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url)),
  };
}

/** Every source file named in `exports`, under whatever conditions. */
function sourcesOf(exported: unknown): readonly string[] {
  if (typeof exported === 'string') return exported.endsWith('.ts') || exported.endsWith('.tsx') ? [exported] : [];
  if (typeof exported !== 'object' || exported === null) return [];
  return [...new Set(Object.values(exported).flatMap(sourcesOf))];
}

/** `./src/http/index.ts` becomes `dist/http/index.js` and its siblings. */
function entryName(source: string): string {
  return source.replace(/^\.\/src\//, '').replace(/\.tsx?$/, '');
}
