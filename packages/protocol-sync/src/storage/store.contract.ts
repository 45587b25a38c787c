/** What every `SyncStore` promises, as a test suite that each implementation runs on its real engine. */
import { describe } from 'vitest';
import { feedContract } from './contract/feed.contract.js';
import { handleContract } from './contract/handles.contract.js';
import { ledgerContract } from './contract/ledger.contract.js';
import { lifetimeContract } from './contract/lifetime.contract.js';
import { pruneContract } from './contract/prune.contract.js';
import type { OpenStore } from './contract/store-fixture.js';
import { storeTests } from './contract/store-tests.contract.js';
import { transactionContract } from './contract/transactions.contract.js';

/**
 * Declares the suite for one implementation; `open` gives every test a store of its own.
 *
 * ```ts
 * storeContract('MemoryStore', async () => {
 *   const store = new MemoryStore();
 *   await store.open();
 *   return { store, remove: () => store.close() };
 * });
 * ```
 */
export function storeContract(name: string, open: OpenStore): void {
  describe(`${name} as a sync store`, () => {
    const tests = storeTests(open);
    lifetimeContract(tests);
    transactionContract(tests);
    handleContract(tests);
    feedContract(tests);
    ledgerContract(tests);
    pruneContract(tests);
  });
}
