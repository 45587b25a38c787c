/** A device's storage as one process of its app reaches it; what was committed outlives the process. */
import type { ClientStorage, StorageBatch } from '@objectql/plugin-sync';
import type { Gate } from './gate.js';

export interface GatedStorageParts {
  readonly gate: Gate;
  /** The steps in which a batch is stored; one, unless a rule is switched off. */
  readonly steps: ((batch: StorageBatch) => readonly StorageBatch[]) | undefined;
  /** Set where a batch is called durable before it is: resolves when it is written after all. */
  readonly delay: (() => Promise<void>) | undefined;
  /** Called with each batch once it is durable, at once. */
  readonly onCommit: (batch: StorageBatch) => void;
  /** Called when the process has learned that it is. */
  readonly onKnown: (batch: StorageBatch) => void;
}

/** The storage, behind the gate. Closing leaves what is durable where it is. */
export function gatedStorage(storage: ClientStorage, parts: GatedStorageParts): ClientStorage {
  const { gate, steps = (batch) => [batch], delay, onCommit, onKnown } = parts;
  const write = (batch: StorageBatch) =>
    gate.pass(async () => {
      await storage.commit(batch);
      onCommit(batch);
    });
  return {
    load: () => gate.pass(() => storage.load()),
    commit: async (batch) => {
      if (delay) {
        void delay()
          .then(() => write(batch))
          .catch(() => {});
        return;
      }
      for (const step of steps(batch)) {
        await write(step);
        onKnown(step);
      }
    },
    getRecords: (refs) => gate.pass(() => storage.getRecords(refs)),
    listRecords: (objectName) => gate.pass(() => storage.listRecords(objectName)),
    close: async () => {},
  };
}
