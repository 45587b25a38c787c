import { describe, expect, it } from 'vitest';
import { storeModelContract } from '../contract/model.contract.js';
import { look, sampleState, sampleTombstone, save } from '../contract/store-samples.js';
import { storeContract } from '../store.contract.js';
import { MemoryStore } from './memory-store.js';

async function openMemoryFixture() {
  const store = new MemoryStore();
  await store.open();
  const reopen = async () => {
    await store.close();
    await store.open();
    return store;
  };
  return { store, reopen, remove: () => store.close() };
}

storeContract('MemoryStore', { open: openMemoryFixture, abilities: ['reopen'] }, { describe, it, expect });
storeModelContract('MemoryStore', openMemoryFixture, 300);

it('begins an epoch with the first write after each opening, and drops the oldest of more than a thousand', async () => {
  const { store } = await openMemoryFixture();
  const epochs: string[] = [];
  for (let version = 1; version <= 1010; version++) {
    await save(store, { records: [version < 5 ? sampleTombstone('gone', 1, version) : sampleState({ version })] });
    epochs.push((await look(store, {})).facts.epoch);
    await store.open();
  }
  await store.prune({ before: 2, limit: 10 });
  const reaches = await Promise.all(epochs.map(async (epoch) => (await look(store, { epoch })).facts.reach));
  expect([new Set(epochs).size, reaches.slice(0, 6)]).toEqual([1010, [undefined, undefined, undefined, 4, 5, 6]]);
});
