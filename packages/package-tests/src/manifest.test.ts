import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type ExportTarget, publishedExports, publishedTypesVersions } from '../../../scripts/build/library-config.js';
import { publishedPackages } from './published-package.js';

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
        typesVersions: publishedTypesVersions(manifest.exports),
        exports: publishedExports({ ...manifest.exports, './package.json': './package.json' }),
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

function sourcesOf(target: ExportTarget): readonly string[] {
  return typeof target === 'string' ? [target] : Object.values(target).flatMap(sourcesOf);
}
