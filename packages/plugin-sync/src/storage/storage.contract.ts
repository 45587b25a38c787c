/** What every `ClientStorage` promises, as a test suite that each implementation runs on its real engine. */
import type { TestFramework } from '@objectql/sync-types';
import { batchContract } from './contract/batches.contract.js';
import { lifetimeContract } from './contract/lifetime.contract.js';
import { recordContract } from './contract/records.contract.js';
import type { StorageFixture } from './contract/storage-fixture.js';
import { storageTests } from './contract/storage-tests.contract.js';

/**
 * Declares the suite for one implementation, in the caller's test framework.
 *
 * ```text
 * const newPlace = async () => ({ open: () => new MemoryStorage(), remove: async () => {} });
 * storageContract('MemoryStorage', { keeps: 'nothing', loadReads: 'pending', newPlace }, { describe, it, expect });
 * ```
 */
export function storageContract(name: string, fixture: StorageFixture, framework: TestFramework): void {
  framework.describe(`${name} as a client storage`, () => {
    const tests = storageTests(fixture, framework);
    lifetimeContract(tests);
    batchContract(tests);
    recordContract(tests);
  });
}
