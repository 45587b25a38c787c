/** A storage that tells the other tabs what this one writes. */
import { refOf } from '@objectql/sync-types';
import type { Changed } from '../records/record-watch.js';
import { type ClientStorage, MovedError, type StorageBatch } from '../storage/client-storage.js';
import type { TabMessage } from './tab-message.js';

/** 500: beyond, reading everything anew costs less than naming what changed. */
const MAX_NAMED = 500;

/** The storage, with `tell` called before and after each commit. */
export function tellingStorage(storage: ClientStorage, tell: (message: TabMessage) => void): ClientStorage {
  return {
    load: () => storage.load(),
    getRecords: (refs) => storage.getRecords(refs),
    listRecords: (objectName) => storage.listRecords(objectName),
    close: () => storage.close(),
    async commit(batch) {
      tell({ type: 'writing' });
      try {
        await storage.commit(batch);
      } catch (error) {
        // Of another failure the others hear nothing and look for themselves: what was not answered may have been stored.
        if (error instanceof MovedError) tell({ type: 'wrote', revision: null, changed: [] });
        throw error;
      }
      tell({ type: 'wrote', revision: batch.meta?.revision ?? null, changed: changedBy(batch) });
    },
  };
}

/** The base records that change. Which entries do, those who read the log again see for themselves. */
function changedBy({ putRecords = [], removeRecords = [], sweepWalk }: StorageBatch): Changed {
  const refs = [...putRecords, ...removeRecords];
  if (sweepWalk !== undefined || refs.length > MAX_NAMED) return 'all';
  return refs.map(refOf);
}
