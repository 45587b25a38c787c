import { expect, test } from 'vitest';
import { ClientLog } from '../log/client-log.js';
import { TestPlatform } from '../platform/test-platform.js';
import { sampleEntry } from '../storage/contract/storage-samples.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { FaultStorage } from '../testing/fault-storage.js';
import { WriteWatch } from './write-watch.js';

const REF = { objectName: 'task', recordId: 't1' };

/** A tab that watches, and what it was told. */
async function watching() {
  const platform = new TestPlatform();
  const storage = new FaultStorage(new MemoryStorage());
  const log = new ClientLog({ clientId: 'device-1', storage, platform });
  await log.load();
  const told: unknown[] = [];
  const watch = new WriteWatch({
    log,
    platform,
    onReread: (changed) => told.push(changed),
    onFailed: (error) => told.push(error),
  });
  /** Another tab stores this revision, told of by nobody. */
  const store = (revision: number) => storage.commit({ meta: { ...log.meta, revision } });
  return { platform, storage, log, watch, told, store };
}

test('still reads what another tab has written after this one wrote alone for weeks', async () => {
  const { watch, log, store, told } = await watching();
  const written = 200_000;
  for (let revision = 1; revision <= written; revision++) watch.wrote(revision);
  await store(written);
  await log.reload();
  await store(written + 1);
  watch.ended('another', written + 1, [REF]);
  await watch.untilFresh();
  expect(told).toEqual([[REF]]);
});

test('still reads what another tab has written after the two wrote in turn for weeks', async () => {
  const { watch, store, told } = await watching();
  const written = 400_000;
  for (let revision = 1; revision < written; revision += 2) watch.wrote(revision);
  await store(written);
  await watch.readAgain();
  await store(written + 1);
  watch.ended('another', written + 1, [REF]);
  await watch.untilFresh();
  expect(told).toEqual(['all', [REF]]);
});

test('reads again once when a tab does not tell how its write ended, each time that happens', async () => {
  const { watch, platform, store, told } = await watching();
  for (const revision of [1, 2]) {
    watch.begins('another');
    watch.begins('a third');
    await store(revision);
    await platform.advance(10_000);
  }
  // Those that died keep nobody who tells how it ended from being believed.
  watch.begins('a fourth');
  watch.ended('a fourth', 2, [REF]);
  await platform.advance(10_000);
  expect(told).toEqual(['all', 'all']);
  expect(platform.pendingTimersMs).toEqual([]);
});

test('reads nothing again that it was told the end of, and has', async () => {
  const { watch, platform, log, store, told } = await watching();
  await store(1);
  await log.reload();
  watch.begins('another');
  watch.ended('another', 1, [REF]);
  await platform.advance(10_000);
  expect(told).toEqual([]);
});

test('reads once what several tabs have written meanwhile, and names it beside a write of its own', async () => {
  const { watch, storage, log, store, told } = await watching();
  await store(1);
  await store(2);
  watch.ended('another', 1, [REF]);
  watch.ended('a third', 2, [{ ...REF, recordId: 't2' }]);
  await watch.untilFresh();
  const loads = () => storage.operations.filter((operation) => operation === 'load').length;
  expect([loads(), told]).toEqual([2, [[REF, { ...REF, recordId: 't2' }]]]);
  // Its own write is under way when it hears of the next.
  log.probe();
  const own = log.flush();
  watch.wrote(3);
  watch.ended('another', 4, [REF]);
  await own;
  await store(4);
  await watch.untilFresh();
  expect(told.slice(1)).toEqual([[REF]]);
});

test('names the records of which something is pending now, or no more', async () => {
  const { watch, storage, log, told } = await watching();
  const entry = sampleEntry('m1', 1);
  const { objectName, recordId } = entry.mutation;
  await storage.commit({ meta: { ...log.meta, revision: 1 }, putEntries: [entry] });
  watch.ended('another', 1, []);
  await watch.untilFresh();
  await storage.commit({ meta: { ...log.meta, revision: 2 }, removeEntries: ['m1'] });
  watch.ended('another', 2, []);
  await watch.untilFresh();
  expect(told).toEqual([[{ objectName, recordId }], [{ objectName, recordId }]]);
});

test('reads everything anew where it does not know what was written', async () => {
  const { watch, store, told } = await watching();
  await store(2);
  watch.ended('another', 2, [REF]);
  await watch.untilFresh();
  expect(told).toEqual(['all']);
});

test('tells of a read that failed, and reads at the next write, and not again', async () => {
  const { watch, platform, storage, store, told } = await watching();
  const error = new Error('The connection is lost.');
  storage.fail('load', error);
  watch.ended('another', 1, [REF]);
  await watch.untilFresh();
  storage.heal();
  await store(2);
  watch.ended('another', 2, [REF]);
  await watch.untilFresh();
  expect([told, platform.pendingTimersMs]).toEqual([[error, [REF, REF]], []]);
});

test('reads and tells nothing any more once it is stopped', async () => {
  const { watch, platform, storage, told } = await watching();
  const before = storage.operations.length;
  watch.begins('another');
  watch.begins('a fourth');
  watch.ended('a third', 1, [REF]);
  watch.stop();
  expect(platform.pendingTimersMs).toEqual([]);
  await watch.untilFresh();
  expect([storage.operations.length - before, told]).toEqual([0, []]);
});

test('does not try a read again that failed before it was stopped', async () => {
  const { watch, platform, storage } = await watching();
  storage.fail('load', new Error('The connection is lost.'));
  await watch.readAgain();
  watch.stop();
  expect(platform.pendingTimersMs).toEqual([]);
});

test('tells of no failure of a read that was under way when it was stopped', async () => {
  const { watch, storage, told } = await watching();
  storage.fail('load', new Error('The storage is closed.'));
  const before = storage.operations.length;
  const reading = watch.readAgain();
  await Promise.resolve();
  watch.stop();
  await reading;
  expect([storage.operations.length - before, told]).toEqual([1, []]);
});
