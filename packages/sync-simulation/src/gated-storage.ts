/** A device's storage as one process of its app reaches it; what was committed outlives the process. */
import type { ClientStorage, StorageBatch } from '@objectql/plugin-sync';
import type { Gate } from './gate.js';

export interface GatedStorageParts {
  readonly gate: Gate;
  readonly change: ((batch: StorageBatch) => StorageBatch) | undefined;
  /** Called with each batch once it is durable, at once. */
  readonly onCommit: (batch: StorageBatch) => void;
  /** Called when the process has learned that it is. */
  readonly onKnown: (batch: StorageBatch) => void;
}

/** The storage, behind the gate. Closing leaves what is durable where it is. */
export function gatedStorage(storage: ClientStorage, parts: GatedStorageParts): ClientStorage {
  const { gate, change = (batch) => batch, onCommit, onKnown } = parts;
  return {
    load: () => gate.pass(() => storage.load()),
    commit: async (asked) => {
      const batch = change(asked);
      await gate.pass(async () => {
        await storage.commit(batch);
        onCommit(batch);
      });
      onKnown(batch);
    },
    getRecords: (refs) => gate.pass(() => storage.getRecords(refs)),
    listRecords: (objectName) => gate.pass(() => storage.listRecords(objectName)),
    close: async () => {},
  };
}
