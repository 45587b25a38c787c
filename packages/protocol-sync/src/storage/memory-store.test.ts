import { describe, expect, it } from 'vitest';
import { storeModelContract } from './contract/model.contract.js';
import { MemoryStore } from './memory-store.js';
import { storeContract } from './store.contract.js';

async function openMemoryFixture() {
  const store = new MemoryStore();
  await store.open();
  return { store, remove: () => store.close() };
}

storeContract('MemoryStore', { open: openMemoryFixture }, { describe, it, expect });
storeModelContract('MemoryStore', openMemoryFixture, 300);
