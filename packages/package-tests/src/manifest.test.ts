import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ExportTarget, publishedPackages } from './published-package.js';

for (const { folder, manifest } of publishedPackages) {
  describe(manifest.name, () => {
    test('exports sources that exist', () => {
      const missing = sourcesOf(manifest.exports).filter((source) => !existsSync(folder + source));
      expect(missing).toEqual([]);
    });

    test('publishes each subpath it exports here, built as ESM and CommonJS with types', () => {
      expect(manifest.publishConfig).toEqual({
        access: 'public',
        main: './dist/index.cjs',
        types: './dist/index.d.cts',
        exports: { ...publishedExports(manifest.exports), './package.json': './package.json' },
      });
    });

    test('says what it is, under which license and on which Node it runs', () => {
      expect({ ...manifest, dependencies: undefined, devDependencies: undefined, exports: undefined }).toMatchObject({
        license: 'MIT',
        type: 'module',
        sideEffects: false,
        engines: { node: '>=20.19' },
        files: ['dist', 'README.md', 'LICENSE'],
      });
      expect(manifest.description).toMatch(/^[A-Z].{20,}\.$/);
      expect(existsSync(`${folder}LICENSE`)).toBe(true);
    });

    test('asks only for optional peers', () => {
      const required = Object.keys(manifest.peerDependencies ?? {}).filter(
        (peer) => manifest.peerDependenciesMeta?.[peer]?.optional !== true,
      );
      expect(required).toEqual([]);
    });
  });
}

/** `exports` as it must be published: each source replaced by what it is built into. */
function publishedExports(exported: Readonly<Record<string, ExportTarget>>): Record<string, unknown> {
  const subpaths = Object.entries(exported).filter(([subpath]) => subpath !== './package.json');
  return Object.fromEntries(subpaths.map(([subpath, target]) => [subpath, built(target)]));
}

function built(target: ExportTarget): unknown {
  if (typeof target !== 'string') {
    return Object.fromEntries(Object.entries(target).map(([condition, inner]) => [condition, built(inner)]));
  }
  const file = target.replace('./src/', './dist/').replace(/\.tsx?$/, '');
  return {
    import: { types: `${file}.d.ts`, default: `${file}.js` },
    require: { types: `${file}.d.cts`, default: `${file}.cjs` },
  };
}

function sourcesOf(target: ExportTarget): readonly string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(sourcesOf);
}
