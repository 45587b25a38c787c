/** What every `ClientStorage` promises, as a test suite that each implementation runs on its real engine. */
import { describe } from 'vitest';
import { batchContract } from './contract/batches.contract.js';
import { lifetimeContract } from './contract/lifetime.contract.js';
import { modelContract } from './contract/model.contract.js';
import { recordContract } from './contract/records.contract.js';
import type { StorageFixture } from './contract/storage-fixture.js';

/**
 * Declares the suite for one implementation.
 *
 * ```ts
 * storageContract('MemoryStorage', {
 *   keeps: 'nothing',
 *   loadReads: 'pending',
 *   newPlace: async () => ({ open: () => new MemoryStorage(), remove: async () => {} }),
 * });
 * ```
 */
export function storageContract(name: string, fixture: StorageFixture): void {
  describe(`${name} as a client storage`, () => {
    lifetimeContract(fixture);
    batchContract(fixture);
    recordContract(fixture);
    modelContract(fixture);
  });
}
