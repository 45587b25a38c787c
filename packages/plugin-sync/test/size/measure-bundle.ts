/** What an app of these imports makes its users download: bundled, minified and compressed as bundlers and servers do. */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, transform } from 'esbuild';

const SOURCES = fileURLToPath(new URL('../../src/', import.meta.url));

export interface BundleSize {
  /** Minified and gzipped bytes of what is loaded at once. */
  readonly initialBytes: number;
  /** The same with every chunk that is loaded when it is needed. */
  readonly totalBytes: number;
  /** Minified bytes of each source, the heaviest first. */
  readonly bytesBySource: ReadonlyMap<string, number>;
}

/** Bundles a module for browsers. Its imports are relative to `src`; those named in `external` count for nothing. */
export async function measureBundle(code: string, external: readonly string[] = []): Promise<BundleSize> {
  const { metafile, outputFiles } = await bundle(code, { external: [...external], minify: true });
  const gzippedByPath = new Map(
    outputFiles.map(({ path, contents }) => [path.slice(SOURCES.length), gzipSync(contents, { level: 9 }).length]),
  );
  const initial = chunksLoadedWith('out/stdin.js', metafile.outputs);
  const bytesBySource = new Map<string, number>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) bytesBySource.set(path, bytesInOutput);
  }
  return {
    initialBytes: sum([...initial].map((path) => gzippedByPath.get(path) ?? 0)),
    totalBytes: sum([...gzippedByPath.values()]),
    bytesBySource: new Map([...bytesBySource].sort(([, a], [, b]) => b - a)),
  };
}

/** The minified code of each source of a module's bundle, in the bundle's order. */
export async function codeBySource(code: string): Promise<ReadonlyMap<string, string>> {
  // Without white space the comments would be gone that say where each source begins.
  const { outputFiles } = await bundle(code, { minifyIdentifiers: true, minifySyntax: true });
  const [sourceTexts = ''] = (outputFiles[0]?.text ?? '').split('\nexport {');
  const sources = sourceTexts.split(SOURCE_COMMENT).slice(1);
  const minified = sources.map(async (source) => {
    const [path = '', ...lines] = source.split('\n');
    return [path, (await transform(lines.join('\n'), { minifyWhitespace: true })).code] as const;
  });
  return new Map(await Promise.all(minified));
}

const SOURCE_COMMENT = /^\/\/ (?=\S+\.ts$)/m;

function bundle(code: string, options: BuildOptions) {
  return build({
    stdin: { contents: code, resolveDir: SOURCES, loader: 'ts' },
    absWorkingDir: SOURCES,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: 'out',
    legalComments: 'none',
    ...options,
    metafile: true,
    write: false,
  });
}

interface Output {
  readonly imports: readonly { readonly path: string; readonly kind: string }[];
}

function chunksLoadedWith(path: string, outputs: Readonly<Record<string, Output>>): ReadonlySet<string> {
  const chunks = new Set([path]);
  for (const chunk of chunks) {
    for (const { path: imported, kind } of outputs[chunk]?.imports ?? []) {
      if (kind === 'import-statement') chunks.add(imported);
    }
  }
  return chunks;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
