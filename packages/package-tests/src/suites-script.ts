/** Writes the script that runs the published suites in a test framework that is not vitest. */
import { pathToFileURL } from 'node:url';

/** A script for `node --test`; `expectPath` is where the package `expect` was found. */
export function suitesScript(expectPath: string): string {
  return `
    import { describe, it } from 'node:test';
    import { MemoryStorage } from '@objectql/plugin-sync';
    import { storageContract } from '@objectql/plugin-sync/testing';
    import { MemoryStore } from '@objectql/protocol-sync';
    import { storeContract } from '@objectql/protocol-sync/testing';
    import expectPackage from ${JSON.stringify(pathToFileURL(expectPath).href)};
    const framework = { describe, it, expect: expectPackage.expect };
    const newPlace = async () => ({ open: () => new MemoryStorage(), remove: async () => {} });
    // What reads the clock is left to quieter places.
    storageContract('MemoryStorage', { keeps: 'nothing', loadReads: 'everything', newPlace }, framework);
    async function open() {
      const store = new MemoryStore();
      await store.open();
      return { store, remove: () => store.close() };
    }
    storeContract('MemoryStore', { open }, framework);
  `;
}
