import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { storeModelContract } from '../storage/contract/model.contract.js';
import type { StoreFixture } from '../storage/contract/store-fixture.js';
import { storeContract } from '../storage/store.contract.js';
import { FEED, INTENTS, LEDGER, LOGS, RECORDS } from './engine-objects.js';
import { FEED_ID } from './engine-rows.js';
import { EngineStore } from './engine-store.js';
import type { EngineHandle } from './engine-transaction.js';
import { startKernel } from './kernel.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const NOTE = { name: 'note', label: 'Note', fields: { text: { type: 'text', label: 'Text' } } };

/** One kernel for all tests, which each find sync's objects empty. */
let started: ReturnType<typeof startKernel> | undefined;
afterAll(async () => (await started)?.kernel.shutdown());

async function openEngineFixture(): Promise<StoreFixture> {
  started ??= startKernel({ objects: [NOTE] });
  const { engine } = await started;
  const stores: EngineStore[] = [];
  const openStore = async () => {
    const store = new EngineStore(engine);
    stores.push(store);
    await store.open();
    return store;
  };
  const store = await openStore();
  return {
    store,
    async reopen() {
      await store.close();
      return openStore();
    },
    openAnother: openStore,
    async makeNewer() {
      await engine.update(FEED, { id: FEED_ID, schema_version: '1000' }, { context: AS_SYSTEM });
    },
    notes: {
      async add(handle, note) {
        // The contract hands over what the store was given: the engine in its transaction.
        await (handle as EngineHandle).insert('note', { id: note, text: note });
      },
      async list() {
        const notes = await engine.find('note', {}, { context: AS_SYSTEM });
        return notes.map(({ text }) => String(text)).toSorted();
      },
    },
    async remove() {
      for (const opened of stores) await opened.close();
      for (const objectName of ['note', FEED, RECORDS, LEDGER, LOGS, INTENTS]) {
        await engine.delete(objectName, { where: { id: { $ne: '' } }, multi: true, context: AS_SYSTEM });
      }
    },
  };
}

storeContract(
  'EngineStore',
  { open: openEngineFixture, abilities: ['reopen', 'openAnother', 'makeNewer', 'notes'] },
  { describe, it, expect },
);
storeModelContract('EngineStore', openEngineFixture, 20);
