import { describe, expect, it } from 'vitest';
import { storageFaultContract } from './contract/faults.contract.js';
import { storageModelContract } from './contract/model.contract.js';
import type { StorageFixture } from './contract/storage-fixture.js';
import { MemoryStorage } from './memory-storage.js';
import { storageContract } from './storage.contract.js';

const fixture: StorageFixture = {
  keeps: 'nothing',
  loadReads: 'pending',
  newPlace: async () => ({ open: () => new MemoryStorage(), remove: async () => {} }),
};
storageContract('MemoryStorage', fixture, { describe, it, expect });
storageModelContract('MemoryStorage', fixture);
storageFaultContract('MemoryStorage', fixture);
