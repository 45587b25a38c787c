/** The packages that are published, as their manifests describe them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ExportTarget } from '../../../scripts/build/library-config.js';

export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly description: string;
  readonly exports: Readonly<Record<string, ExportTarget>>;
  readonly publishConfig: {
    readonly main: string;
    readonly types: string;
    readonly exports: Readonly<Record<string, ExportTarget>>;
  };
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface PublishedPackage {
  /** The package's folder, absolute. */
  readonly folder: string;
  readonly manifest: PackageManifest;
  /** What can be imported, e.g. `@objectql/sync-types/schema`. */
  readonly specifiers: readonly string[];
}

/** In the order of their dependencies. */
export const publishedPackages: readonly PublishedPackage[] = ['sync-types', 'plugin-sync', 'protocol-sync'].map(read);

function read(name: string): PublishedPackage {
  const folder = fileURLToPath(new URL(`../../${name}/`, import.meta.url));
  // Our own file: its shape is what the tests of the manifests check.
  const manifest = JSON.parse(readFileSync(`${folder}package.json`, 'utf8')) as PackageManifest;
  const subpaths = Object.keys(manifest.exports).filter((subpath) => subpath !== './package.json');
  return { folder, manifest, specifiers: subpaths.map((subpath) => manifest.name + subpath.slice(1)) };
}
