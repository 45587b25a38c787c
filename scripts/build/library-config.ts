/** How every published package is built: ESM, CommonJS and types for each subpath that its package.json exports. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Options } from 'tsup';

/** A condition of `exports` leads to a file or to further conditions. */
export type ExportTarget = string | { readonly [condition: string]: ExportTarget };

/** What stands at the head of every file of types: `AsyncDisposable` is younger than the libraries that apps build with. */
const TYPES_BANNER = '/// <reference lib="esnext.disposable" />';

/** The tsup options of the package whose `tsup.config.ts` is at `configUrl`; its entries are read from `exports`. */
export function libraryConfig(configUrl: string): Options {
  const manifest: { readonly exports: Readonly<Record<string, ExportTarget>> } = JSON.parse(
    readFileSync(new URL('package.json', configUrl), 'utf8'),
  );
  return {
    entry: entriesOf(manifest.exports),
    format: ['esm', 'cjs'],
    // Subpaths share chunks, so that a class is the same class whichever subpath it came through.
    splitting: true,
    // `pnpm check` has checked all sources; checking them again takes most of a build's time.
    dts: { banner: TYPES_BANNER, compilerOptions: { noCheck: true } },
    clean: true,
    sourcemap: true,
    plugins: [
      { name: 'no-paths-of-this-machine', buildEnd: ({ writtenFiles }) => writtenFiles.forEach(shortenPaths) },
      {
        name: 'optional-peers-of-bundles',
        renderChunk(code) {
          return this.format === 'cjs' ? { code: requirePeers(code) } : undefined;
        },
      },
    ],
    target: 'es2022',
    // Deno and Workers know Node's modules by their full names only.
    removeNodeProtocol: false,
    tsconfig: fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url)),
  };
}

/**
 * Lets a source map name its own file without the folder it was built in. tsup names it so for what it adds to CommonJS,
 * and bundlers warn of a source that they cannot find.
 */
function shortenPaths({ name }: { readonly name: string }): void {
  if (!name.endsWith('.map')) return;
  const map: { readonly file?: string; readonly sources: readonly string[] } = JSON.parse(readFileSync(name, 'utf8'));
  const short = (path: string) => (isAbsolute(path) ? basename(path) : path);
  writeFileSync(name, JSON.stringify({ ...map, file: map.file && short(map.file), sources: map.sources.map(short) }));
}

/**
 * Lets an app in CommonJS be bundled without an optional peer. A bundler forgives a missing package that is asked for inside
 * `try`, but tsup would make of such an `import()` a `require` in a function of its own, where it is an error.
 */
function requirePeers(code: string): string {
  return code.replaceAll(/\bawait import\(("[^".][^"]*")\)/g, 'require($1)');
}

/** `exports` as it must be published: what each source is built into, as ESM and as CommonJS, with types. */
export function publishedExports(
  exported: Readonly<Record<string, ExportTarget>>,
): Readonly<Record<string, ExportTarget>> {
  return mapTargets(exported, (name) => ({
    import: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
    require: { types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` },
  }));
}

/**
 * `typesVersions` as it must be published, for `moduleResolution: node`, which knows neither `exports` nor conditions: the types
 * of every subpath, those for Node where it has others.
 */
export function publishedTypesVersions(exported: Readonly<Record<string, ExportTarget>>) {
  const ofNode = Object.entries(exported)
    .filter(([, target]) => typeof target === 'object' && 'node' in target)
    .map(([subpath]) => subpath.slice('./'.length))
    .map((name) => [name, [`./dist/${name}.node.d.cts`]]);
  return { '*': { ...Object.fromEntries(ofNode), '*': ['./dist/*.d.cts', './*'] } };
}

/** The source of each file to build, by that file's name: `http/hono` for the subpath `./http/hono`. */
function entriesOf(exported: Readonly<Record<string, ExportTarget>>): Record<string, string> {
  const entries: Record<string, string> = {};
  mapTargets(exported, (name, source) => {
    entries[name] = source;
    return source;
  });
  return entries;
}

/** Replaces every source in `exports` by what `build` makes of its name and path; files that are no sources stay. */
function mapTargets(
  exported: Readonly<Record<string, ExportTarget>>,
  build: (name: string, source: string) => ExportTarget,
): Readonly<Record<string, ExportTarget>> {
  const mapTarget = (name: string, target: ExportTarget): ExportTarget => {
    if (typeof target === 'string') return /\.tsx?$/.test(target) ? build(name, target) : target;
    const conditions = Object.entries(target).map(([condition, inner]) => {
      // Two sources of one subpath: kernel for most, kernel.browser for the condition `browser`.
      return [condition, mapTarget(condition === 'default' ? name : `${name}.${condition}`, inner)];
    });
    return Object.fromEntries(conditions);
  };
  const subpaths = Object.entries(exported).map(([subpath, target]) => {
    return [subpath, mapTarget(subpath === '.' ? 'index' : subpath.slice(2), target)];
  });
  return Object.fromEntries(subpaths);
}
