import { expect, test } from 'vitest';
import { ClientLog } from '../log/client-log.js';
import { TestPlatform } from '../platform/test-platform.js';
import type { DeadLetter } from '../storage/client-storage.js';
import { sampleDeadLetter, sampleMutation } from '../storage/contract/storage-samples.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { FaultStorage } from '../testing/fault-storage.js';
import { DeadLetterList } from './dead-letter-list.js';

function letter(id: string, more: Partial<DeadLetter> = {}): DeadLetter {
  return { ...sampleDeadLetter(id), mutation: sampleMutation({ id, recordId: id }), ...more };
}

/** The dead letters of a log, to which `put` adds as an answer does. */
function list() {
  const storage = new FaultStorage(new MemoryStorage());
  const log = new ClientLog({ clientId: 'device-1', storage, platform: new TestPlatform() });
  const changed: string[] = [];
  const letters = new DeadLetterList({
    log,
    onRecorded: ({ recordId }) => changed.push(`recorded ${recordId}`),
    onChanged: () => changed.push('changed'),
    listeners: { report: (error) => changed.push(String(error)) },
  });
  log.observe({ onWaiting: () => letters.tell() });
  const put = (...putDeadLetters: readonly DeadLetter[]) => log.commit({ batch: { putDeadLetters } });
  return { storage, log, letters, put, changed };
}

test('keeps the order items came in, and replaces by id', async () => {
  const { letters, put } = list();
  await put(letter('a'), letter('b'));
  await put(letter('a', { reason: 'Still not.' }));
  expect([letters.list(), letters.size, letters.find('b'), letters.find('c')]).toEqual([
    [letter('a', { reason: 'Still not.' }), letter('b')],
    2,
    letter('b'),
    undefined,
  ]);
});

test('tells subscribers now, after a change and after a decision, and nobody after they stopped', async () => {
  const { letters, put, changed } = list();
  const told: string[] = [];
  const stop = letters.subscribe((all) => void told.push(all.map(({ id }) => id).join()));
  await put(letter('a'), letter('b'));
  await put();
  await letters.discard('a');
  stop();
  await letters.discard('b');
  expect([told, changed]).toEqual([
    ['', 'a,b', 'b'],
    ['changed', 'changed'],
  ]);
});

test('takes an item off only when the decision is durable, and decides it once', async () => {
  const { storage, letters, put, changed } = list();
  await put(letter('a'));
  storage.fail('commit', new Error('full'));
  await expect(letters.discard('a')).rejects.toThrow('full');
  const isKept = letters.find('a') !== undefined;
  storage.heal();
  const decisions = await Promise.allSettled([letters.retry('a'), letters.discard('a')]);
  const outcomes = decisions.map((decision) => (decision.status === 'fulfilled' ? 'done' : String(decision.reason)));
  expect([isKept, outcomes, letters.size, changed]).toEqual([
    true,
    ['done', 'SyncUsageError: There is no dead letter with the id a to decide.'],
    0,
    ['recorded a'],
  ]);
});

test('makes of a dead letter an entry as new as one that is recorded here, whose id stays where that is safe', async () => {
  const { log, letters, put } = list();
  await put(letter('refused'), letter('failed', { code: 'INTERNAL' }));
  const [refused, failed] = [await letters.retry('refused'), await letters.retry('failed')];
  expect([failed.id, refused.id === 'refused', refused.sequence, failed.sequence]).toEqual(['failed', false, 1, 2]);
  expect([...log.pending]).toEqual([refused, failed].map((mutation) => ({ mutation, round: 0, tries: 0 })));
});
