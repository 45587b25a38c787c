/** A storage that tells the other tabs what this one writes. */
import { refOf } from '@objectql/sync-types';
import type { Changed } from '../records/record-watch.js';
import type { ClientStorage, StorageBatch } from '../storage/client-storage.js';
import type { TabMessage } from './tab-message.js';

/** 2,000: what one answer may change, a page and a push of 1,000 each. Beyond this, everything is read again. */
const MAX_NAMED = 2000;

/** The storage, with `tell` called before each commit, and after it if it has not failed. */
export function tellingStorage(storage: ClientStorage, tell: (message: TabMessage) => void): ClientStorage {
  return {
    load: () => storage.load(),
    getRecords: (refs) => storage.getRecords(refs),
    listRecords: (objectName) => storage.listRecords(objectName),
    close: () => storage.close(),
    async commit(batch) {
      tell({ type: 'writing' });
      // After a failure the tabs hear nothing and look for themselves: the write may have been stored all the same. Even
      // a `MovedError` does not tell: the first may have been this batch, if a storage asked twice.
      await storage.commit(batch);
      if (batch.meta) tell({ type: 'wrote', revision: batch.meta.revision, changed: changedBy(batch) });
    },
  };
}

/** The base records that change. Tabs that read the log again see for themselves which entries changed. */
function changedBy({ putRecords = [], removeRecords = [], sweepWalk }: StorageBatch): Changed {
  const refs = [...putRecords, ...removeRecords];
  if (sweepWalk !== undefined || refs.length > MAX_NAMED) return 'all';
  return refs.map(refOf);
}
