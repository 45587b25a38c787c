/** Writes the script that loads packages in a user's project and tells what they gave. */

/** What importing one specifier gave: the names it exports, or the module it could not find. */
export type Loaded = { readonly names: readonly string[] } | { readonly missing: string };

export interface LoadingReport {
  readonly loaded: Readonly<Record<string, Loaded>>;
  /** Names that two specifiers of one package export with different values. */
  readonly split: readonly string[];
}

/** A script that prints a {@link LoadingReport} of `specifiers` as JSON, as an ES module or as CommonJS. */
export function loadingScript(specifiers: readonly string[], format: 'esm' | 'cjs'): string {
  const load = format === 'esm' ? '(specifier) => import(specifier)' : 'async (specifier) => require(specifier)';
  return `
    const load = ${load};
    const loaded = {};
    const valueByKey = new Map();
    const split = new Set();
    const report = async () => {
      for (const specifier of ${JSON.stringify(specifiers)}) {
        try {
          const exported = await load(specifier);
          const names = Object.keys(exported).filter((name) => name !== 'default' && name !== '__esModule' && name !== 'module.exports');
          loaded[specifier] = { names: names.sort() };
          for (const name of names) {
            const key = specifier.split('/').slice(0, 2).join('/') + ' ' + name;
            if (valueByKey.has(key) && valueByKey.get(key) !== exported[name]) split.add(key);
            valueByKey.set(key, exported[name]);
          }
        } catch (error) {
          const missing = /Cannot find (?:package|module) '([^']+)'/.exec(error.message)?.[1];
          if (missing === undefined) throw error;
          loaded[specifier] = { missing };
        }
      }
      console.log(JSON.stringify({ loaded, split: [...split].sort() }));
    };
    report();
  `;
}
