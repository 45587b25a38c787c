import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ClientLog } from '../log/client-log.js';
import { TestPlatform } from '../platform/test-platform.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { byId } from './by-id.js';
import { LocalRecords } from './local-records.js';
import type { LocalRecord } from './rebase.js';

function open() {
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
  return { log, records };
}

test('I6 bases no change on a version of a feed that another has replaced since it was read', async () => {
  const { log, records } = open();
  const ref = { objectName: 'task', recordId: 'a' };
  await log.load();
  await log.commit({ batch: { putRecords: [{ ...ref, version: 7, data: {}, walk: null }] } });
  const { baseVersion } = await records.target(ref);
  const before = baseVersion();
  await log.commit({ forgetBases: true });
  expect([before, baseVersion()]).toEqual([7, null]);
});

test('tells a list of what any changes have made of it, few or many, in the order of ids', async () => {
  const recordId = fc.oneof(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 }).map(String));
  const change = fc.record({ recordId, version: fc.integer({ min: 0, max: 2 }) });
  const changes = fc.uniqueArray(change, {
    selector: ({ recordId }) => recordId,
    minLength: 1,
    maxLength: 200,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(fc.array(changes, { maxLength: 12 }), async (rounds) => {
      const { log, records } = open();
      let hear: (list: readonly LocalRecord[]) => void;
      const next = () =>
        new Promise<readonly LocalRecord[]>((resolve) => {
          hear = resolve;
        });
      const first = next();
      const stop = records.watchAll('task', (list) => hear(list));
      expect(await first).toEqual([]);
      for (const round of rounds) {
        const refs = round.map((one) => ({ objectName: 'task', ...one }));
        const isPut = ({ version }: { readonly version: number }) => version > 0;
        await log.commit({
          batch: {
            putRecords: refs.filter(isPut).map((ref) => ({ ...ref, data: {}, walk: null })),
            removeRecords: refs.filter((ref) => !isPut(ref)),
          },
        });
        const told = next();
        records.changed(refs);
        expect(await told).toEqual([...(await records.list('task'))].sort(byId));
      }
      stop();
    }),
  );
});
