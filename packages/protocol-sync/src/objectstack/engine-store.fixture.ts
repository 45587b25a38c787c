/** Stores in ObjectStack's data engine, as the store contract tests them. */
import { AS_SYSTEM, type DataEngine } from '@objectql/sync-types/kernel';
import type { StoreFixture } from '../storage/contract/store-fixture.js';
import { FEED_ID } from './engine-facts.js';
import { EPOCHS, FEED, INTENTS, LEDGER, LOGS, RECORDS } from './engine-objects.js';
import { EngineStore } from './engine-store.js';
import type { EngineHandle } from './engine-transaction.js';
import { type KernelParts, startKernel } from './kernel.fixture.js';

const NOTE = { name: 'note', label: 'Note', fields: { text: { type: 'text', label: 'Text' } } };

/** The objects of sync's state. */
const STATE = [FEED, RECORDS, LEDGER, LOGS, INTENTS, EPOCHS];

/** What runs the kernels that a store is tested on. */
export type Drivers = () => KernelParts['driver'];

/**
 * Opens stores on one kernel for all tests, which each find sync's objects empty. Where each driver is of one database that
 * is elsewhere, another process's store has a kernel of its own.
 */
export function engineFixtures(driver: Drivers = () => undefined) {
  let first: ReturnType<typeof startKernel> | undefined;
  let second: ReturnType<typeof startKernel> | undefined;
  const start = () => startKernel({ objects: [NOTE], driver: driver() });
  return {
    async open(): Promise<StoreFixture> {
      first ??= start();
      if (driver()) second ??= start();
      const { engine } = await first;
      return openOn(engine, (await second)?.engine ?? engine);
    },
    async stop(): Promise<void> {
      await (await first)?.stop();
      await (await second)?.stop();
    },
  };
}

async function openOn(engine: DataEngine, other: DataEngine): Promise<StoreFixture> {
  const stores: EngineStore[] = [];
  const openStore = async (of = engine) => {
    const store = new EngineStore(of);
    stores.push(store);
    await store.open();
    return store;
  };
  const empty = async (objectNames: readonly string[]) => {
    for (const objectName of objectNames) {
      await engine.delete(objectName, { where: { id: { $ne: '' } }, multi: true, context: AS_SYSTEM });
    }
  };
  const store = await openStore();
  return {
    store,
    async reopen() {
      await store.close();
      return openStore();
    },
    openAnother: () => openStore(other),
    async backUp() {
      const copies = await Promise.all(
        STATE.map(async (objectName) => ({
          objectName,
          rows: await engine.find(objectName, {}, { context: AS_SYSTEM }),
        })),
      );
      const putBack = async () => {
        await empty(STATE);
        for (const { objectName, rows } of copies) await engine.insert(objectName, rows, { context: AS_SYSTEM });
      };
      return {
        putBack,
        async open() {
          await putBack();
          return openStore();
        },
      };
    },
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
      await empty(['note', ...STATE]);
    },
  };
}
