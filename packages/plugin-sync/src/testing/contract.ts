/** The suite that a storage of your own must pass. Apart from the rest of `testing`, because it needs vitest. */
export type { StorageFixture, StoragePlace } from '../storage/contract/storage-fixture.js';
export { storageContract } from '../storage/storage.contract.js';
