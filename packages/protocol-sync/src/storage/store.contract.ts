/** What every `SyncStore` promises, as a test suite that each implementation runs on its real engine. */
import type { TestFramework } from '@objectql/sync-types';
import { epochsContract } from './contract/epochs.contract.js';
import { feedContract } from './contract/feed.contract.js';
import { handleContract } from './contract/handles.contract.js';
import { ledgerContract } from './contract/ledger.contract.js';
import { lifetimeContract } from './contract/lifetime.contract.js';
import { pruneContract } from './contract/prune.contract.js';
import type { StoreUnderTest } from './contract/store-fixture.js';
import { storeTests } from './contract/store-tests.contract.js';
import { transactionContract } from './contract/transactions.contract.js';

/**
 * Declares the suite for one implementation, in the caller's test framework.
 *
 * ```text
 * async function open() {
 *   const store = new MemoryStore();
 *   await store.open();
 *   return { store, remove: () => store.close() };
 * }
 * storeContract('MemoryStore', { open }, { describe, it, expect });
 * ```
 */
export function storeContract(name: string, store: StoreUnderTest, framework: TestFramework): void {
  framework.describe(`${name} as a sync store`, () => {
    const tests = storeTests(store, framework);
    lifetimeContract(tests);
    transactionContract(tests);
    handleContract(tests);
    feedContract(tests);
    ledgerContract(tests);
    pruneContract(tests);
    epochsContract(tests);
  });
}
