import { expect, test } from 'vitest';
import { ClientLog } from '../log/client-log.js';
import { TestPlatform } from '../platform/test-platform.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { LocalRecords } from './local-records.js';

test('I6 bases no change on a version of a feed that another has replaced since it was read', async () => {
  const storage = new MemoryStorage();
  const platform = new TestPlatform();
  const log = new ClientLog({ clientId: 'device-1', storage, platform });
  const records = new LocalRecords({
    log,
    storage,
    platform,
    listeners: { report: () => {}, isClosed: false },
    onWatched: () => {},
  });
  const ref = { objectName: 'task', recordId: 'a' };
  await log.load();
  await log.commit({ batch: { putRecords: [{ ...ref, version: 7, data: {}, walk: null }] } });
  const { baseVersion } = await records.target(ref);
  const before = baseVersion();
  await log.commit({ forgetBases: true });
  expect([before, baseVersion()]).toEqual([7, null]);
});
