/** A device's storage as one process of its app reaches it; what was committed outlives the process. */
import type { ClientStorage, StorageBatch } from '@objectql/plugin-sync';
import type { Gate } from './gate.js';

export interface GatedStorageParts {
  readonly gate: Gate;
  /** The steps in which a batch is stored; just one, unless a rule is switched off. */
  readonly steps: ((batch: StorageBatch) => readonly StorageBatch[]) | undefined;
  /** Set if a batch is called durable too early: resolves when it is really written. */
  readonly delay: (() => Promise<void>) | undefined;
  /** Called when a batch is stored; rejects if its process does not hear so. `again` asks once more. */
  readonly untold?: ((again: () => Promise<void>) => Promise<void>) | undefined;
  /** Called at once with each batch that has become durable. */
  readonly onCommit: (batch: StorageBatch) => void;
  /** Called when the process has learned that it is durable. */
  readonly onKnown: (batch: StorageBatch) => void;
}

/** The storage, behind the gate. Closing keeps what is durable. */
export function gatedStorage(storage: ClientStorage, parts: GatedStorageParts): ClientStorage {
  const { gate, steps = (batch) => [batch], delay, untold, onCommit, onKnown } = parts;
  const write = (batch: StorageBatch) =>
    gate.pass(async () => {
      await storage.commit(batch);
      onCommit(batch);
      await untold?.(() => storage.commit(batch));
    });
  return {
    ...(storage.sharedName === undefined ? {} : { sharedName: storage.sharedName }),
    ...(storage.onLost && { onLost: (listener) => storage.onLost?.(listener) }),
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
