import { expect, test } from 'vitest';
import { ClientLog } from '../client-log.js';
import { TestPlatform } from '../platform/test-platform.js';
import type { ClientStorage } from '../storage/client-storage.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { WriteWatch } from './write-watch.js';

test('still reads what another tab has written after this one wrote alone for weeks', async () => {
  const platform = new TestPlatform();
  const storage: ClientStorage = new MemoryStorage();
  const log = new ClientLog({ clientId: 'device-1', storage, platform });
  await log.load();
  const { meta } = log;
  const read: unknown[] = [];
  const watch = new WriteWatch({
    log,
    platform,
    reread: (changed) => read.push(changed),
    onFailed: (error) => read.push(error),
  });
  const written = 200_000;
  for (let revision = 1; revision <= written; revision++) watch.wrote(revision);
  await storage.commit({ meta: { ...meta, revision: written } });
  await log.reload();
  const ref = { objectName: 'task', recordId: 't1' };
  await storage.commit({ meta: { ...meta, revision: written + 1 } });
  watch.ended('another', written + 1, [ref]);
  await watch.isFresh();
  expect(read).toEqual([[ref]]);
});
