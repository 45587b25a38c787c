import { MemoryStorage } from './memory-storage.js';
import { storageContract } from './storage.contract.js';

storageContract('MemoryStorage', {
  keeps: 'nothing',
  loadReads: 'pending',
  newPlace: async () => ({ open: () => new MemoryStorage(), remove: async () => {} }),
});
