import { expect, test } from 'vitest';
import { TestPlatform } from '../platform/test-platform.js';
import type { StoredEntry } from '../storage/client-storage.js';
import { sampleMutation } from '../storage/contract/storage-samples.js';
import { RecordHolds } from './record-holds.js';

function entry(id: string, recordId = id): StoredEntry {
  return { mutation: sampleMutation({ id, recordId }), round: 0, tries: 0 };
}

const task = (recordId: string) => ({ objectName: 'task', recordId });

test('holds a record as long as the server says, and no other', async () => {
  const platform = new TestPlatform();
  const holds = new RecordHolds(platform);
  holds.hold([{ entry: entry('m1', 'a'), retryAfterMs: 90_000 }]);
  expect([holds.heldNow('last')(task('a')), holds.heldNow('last')(task('b')), holds.nextExpiry()]).toEqual([
    true,
    false,
    platform.now() + 90_000,
  ]);
  await platform.advance(90_000);
  expect([holds.heldNow('last')(task('a')), holds.nextExpiry()]).toEqual([false, null]);
});

test('I3 tells for one moment which records are held, also when a hold ends while that is used', async () => {
  const platform = new TestPlatform();
  const holds = new RecordHolds(platform);
  holds.hold([{ entry: entry('m1', 'a'), retryAfterMs: 1000 }]);
  const isHeld = holds.heldNow('last');
  await platform.advance(1000);
  expect([isHeld(task('a')), holds.heldNow('last')(task('a'))]).toEqual([true, false]);
});

test('lets a record that was put off go last, also once its hold has ended, until it is settled', async () => {
  const platform = new TestPlatform();
  const holds = new RecordHolds(platform);
  const now = () => [holds.heldNow('first')(task('a')), holds.heldNow('last')(task('a'))];
  holds.hold([{ entry: entry('m1', 'a'), retryAfterMs: 1000, isPutOff: true }]);
  const held = now();
  await platform.advance(1000);
  const due = now();
  holds.release([entry('m1', 'a')], new Set(['m1']));
  expect([held, due, now()]).toEqual([
    [true, true],
    [true, false],
    [false, false],
  ]);
});

test('holds a record longer with each of its failures, and starts over once it is settled', async () => {
  const platform = new TestPlatform();
  const always = Object.assign(platform, { random: () => 0.999_999 });
  const holds = new RecordHolds(always);
  const fail = async () => {
    holds.hold([{ entry: entry('m1', 'a'), retryAfterMs: undefined }]);
    const waitMs = (holds.nextExpiry() ?? 0) - platform.now();
    await platform.advance(waitMs);
    return waitMs;
  };
  const delays = [await fail(), await fail(), await fail()];
  holds.release([entry('m1', 'a')], new Set(['m1']));
  expect([...delays, await fail()]).toEqual([1000, 2000, 4000, 1000]);
});

test('lets records be tried again together that failed together', async () => {
  const platform = new TestPlatform();
  const holds = new RecordHolds(platform);
  const ids = Array.from({ length: 1000 }, (_, index) => `record-${index}`);
  holds.hold(ids.map((id) => ({ entry: entry(id), retryAfterMs: undefined })));
  const isAnyHeld = () => ids.some((id) => holds.heldNow('last')(task(id)));
  const before = isAnyHeld();
  await platform.advance((holds.nextExpiry() ?? 0) - platform.now());
  expect([before, isAnyHeld()]).toEqual([true, false]);
});

test('tells when the first of very many records may be tried again', () => {
  const platform = new TestPlatform();
  const holds = new RecordHolds(platform);
  const refused = Array.from({ length: 150_000 }, (_, index) => entry(`record-${index}`));
  holds.hold(refused.map((one, index) => ({ entry: one, retryAfterMs: 60_000 + index })));
  expect(holds.nextExpiry()).toBe(platform.now() + 60_000);
});

test('counts one failure for a record, however many of its mutations wait', () => {
  const platform = Object.assign(new TestPlatform(), { random: () => 0.999_999 });
  const holds = new RecordHolds(platform);
  holds.hold([
    { entry: entry('m1', 'a'), retryAfterMs: undefined },
    { entry: entry('m2', 'a'), retryAfterMs: undefined },
  ]);
  expect(holds.nextExpiry()).toBe(platform.now() + 1000);
});

test('knows whether others were settled since a mutation was last tried', () => {
  const holds = new RecordHolds(new TestPlatform());
  holds.hold([{ entry: entry('m1', 'a'), retryAfterMs: undefined }]);
  const before = holds.othersPassed('m1');
  holds.release([entry('m2', 'b'), entry('m1', 'a')], new Set(['m2']));
  const after = holds.othersPassed('m1');
  holds.hold([{ entry: entry('m1', 'a'), retryAfterMs: undefined }]);
  expect([before, after, holds.othersPassed('m1'), holds.othersPassed('never tried')]).toEqual([
    false,
    true,
    false,
    false,
  ]);
});

test('I13 lets go of a record when the clock is set back behind the start of its hold', () => {
  const platform = new TestPlatform();
  const holds = new RecordHolds(platform);
  holds.hold([{ entry: entry('m1', 'a'), retryAfterMs: 60_000 }]);
  platform.setClock(platform.now() - 86_400_000);
  expect([holds.heldNow('last')(task('a')), holds.nextExpiry()]).toEqual([false, null]);
});
