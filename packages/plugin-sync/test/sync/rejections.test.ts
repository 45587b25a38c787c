/** Rejections: terminal ones leave the queue for the user, retryable ones hold their own record and nothing else. */
import type { SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { device } from './device.js';
import { realServer } from './real-server.js';
import { answer, appliedAll, scriptedServer } from './scripted-server.js';

/** Applies all but the mutations of some records, which it rejects. */
function rejecting(reject: (request: SyncPushRequest) => Readonly<Record<string, Partial<SyncMutationResult>>>) {
  return scriptedServer((request, call) => {
    const rejections = reject(request);
    const { results } = appliedAll(request);
    const answered = results.map((result, index) => {
      const rejection = rejections[String(request.mutations[index]?.recordId)];
      return rejection
        ? ({ status: 'rejected', mutationId: result.mutationId, reason: 'No.', ...rejection } as SyncMutationResult)
        : result;
    });
    return answer(answered, { checkpoint: `c${call}` });
  });
}

const internal = { code: 'INTERNAL', retryable: true } as const;

test('a terminal rejection goes to the dead letters and blocks nothing', async () => {
  const platform = new TestPlatform();
  const server = realServer(platform, { authorize: { write: ({ mutation }) => mutation.recordId !== 'forbidden' } });
  const { tasks, plugin, storage, seen } = device({ transport: server.connect().transport, platform });
  const { id } = tasks.records.create('forbidden', { title: 'x' });
  tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  expect([await tasks.settled(id), plugin.client.status, await seen()]).toEqual([
    { status: 'rejected', code: 'FORBIDDEN', reason: 'You may not make this change.' },
    expect.objectContaining({ pending: 0, deadLetters: 1, attention: true, state: 'idle' }),
    { t1: 'one' },
  ]);
  expect((await storage.load()).deadLetters.map((letter) => letter.id)).toEqual([id]);
});

test('a refusal with a code of a later server is final unless it says otherwise, and is shown as it is', async () => {
  let isRefused = true;
  const server = rejecting(() => ({
    final: { code: 'OVER_QUOTA' } as Partial<SyncMutationResult>,
    ...(isRefused && { passing: { code: 'MIGRATING', retryable: true } as Partial<SyncMutationResult> }),
  }));
  const { tasks, plugin, platform } = device({ transport: server.transport });
  const { id } = tasks.records.create('final', { title: 'x' });
  tasks.records.create('passing', { title: 'x' });
  await tasks.sync();
  isRefused = false;
  await platform.advance(60_000);
  expect([await tasks.settled(id), plugin.client.status]).toEqual([
    { status: 'rejected', code: 'OVER_QUOTA', reason: 'No.' },
    expect.objectContaining({ pending: 0, deadLetters: 1, lastError: null }),
  ]);
});

test('a dead letter is kept across processes, exported, discarded', async () => {
  const server = rejecting(() => ({ bad: { code: 'VALIDATION' } as Partial<SyncMutationResult> }));
  const first = device({ transport: server.transport });
  const { id } = first.tasks.records.create('bad', { title: 'x' });
  await first.tasks.sync();
  first.plugin.client.pause();
  const next = device({ transport: server.transport, storage: first.storage });
  await next.plugin.client.open();
  expect(JSON.parse(next.tasks.deadLetters.export())).toEqual([
    expect.objectContaining({ id, code: 'VALIDATION', reason: 'No.', mutation: expect.objectContaining({ id }) }),
  ]);
  await next.tasks.deadLetters.discard(id);
  expect([next.tasks.deadLetters.list(), (await next.storage.load()).deadLetters]).toEqual([[], []]);
  await expect(next.tasks.deadLetters.discard(id)).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
});

test('shows what an earlier process left to who looks at nothing but the status or the list, also offline', async () => {
  const server = rejecting(() => ({ t1: { code: 'INVALID' } }));
  const first = device({ transport: server.transport });
  const { id } = first.tasks.records.create('t1', {});
  await first.tasks.sync();
  first.tasks.records.create('t2', {});
  await first.plugin.close();

  const platform = new TestPlatform({ seed: 2 });
  platform.setOnline(false);
  const next = () => device({ transport: server.transport, platform, storage: first.storage });
  const badge = next();
  const statuses: unknown[] = [];
  badge.plugin.client.subscribeStatus(({ pending, deadLetters }) => void statuses.push([pending, deadLetters]));
  await platform.advance(0);
  expect([statuses[0], statuses.at(-1)]).toEqual([
    [0, 0],
    [1, 1],
  ]);
  const page = next();
  const lists: unknown[] = [];
  page.tasks.deadLetters.subscribe((letters) => lists.push(letters.length));
  await platform.advance(0);
  expect(lists).toEqual([0, 1]);
  await next().tasks.deadLetters.discard(id);
});

test('retries a refused dead letter as a new mutation, because the refusal is final for the old one', async () => {
  let isForbidden = true;
  const platform = new TestPlatform();
  const server = realServer(platform, { authorize: { write: () => !isForbidden } });
  const { transport, requests } = server.connect();
  const { tasks, plugin } = device({ transport, platform });
  const { id } = tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  isForbidden = false;
  const again = await tasks.deadLetters.retry(id);
  await tasks.sync();
  expect([
    again.id === id,
    again.sequence,
    requests.length,
    await tasks.settled(again.id),
    plugin.client.status,
  ]).toEqual([
    false,
    2,
    2,
    { status: 'applied', version: 1, droppedFields: [] },
    expect.objectContaining({ deadLetters: 0, pending: 0 }),
  ]);
});

test('trace 10 a mutation that always fails goes to the dead letters after ten tries while others pass', async () => {
  const platform = new TestPlatform();
  const server = realServer(platform, { onWarning: () => {} });
  let tries = 0;
  server.resolver = {
    transactional: true,
    getRecord: () => undefined,
    applyMutation: ({ recordId }) => {
      if (recordId !== 'poison') return undefined;
      tries += 1;
      throw new Error('always');
    },
  };
  const { tasks, plugin } = device({ transport: server.connect().transport, platform });
  const { id } = tasks.records.create('poison', { title: 'x' });
  for (let index = 0; index < 60 && tasks.deadLetters.size === 0; index++) {
    tasks.records.create(`t${index}`, { title: 'fine' });
    await tasks.sync();
    await platform.advance(60_000);
  }
  // Tries made while nothing else passed are not charged, so there may be more than ten.
  expect([tries >= 10, await tasks.settled(id), plugin.client.status.pending]).toEqual([
    true,
    { status: 'rejected', code: 'INTERNAL', reason: expect.any(String) },
    0,
  ]);
});

test('retries a quarantined mutation under its own id, because the server may have applied it after all', async () => {
  const server = rejecting(({ mutations }) =>
    mutations.some(({ recordId }) => recordId === 'poison') ? { poison: internal } : {},
  );
  const { tasks, platform } = device({ transport: server.transport });
  const { id } = tasks.records.create('poison', { title: 'x' });
  for (let index = 0; tasks.deadLetters.size === 0; index++) {
    tasks.records.create(`t${index}`, { title: 'fine' });
    await tasks.sync();
    await platform.advance(60_000);
  }
  server.script = (request) => appliedAll(request, { checkpoint: 'later' });
  const again = await tasks.deadLetters.retry(id);
  await tasks.sync();
  expect([again.id, again.sequence > 10, await tasks.settled(id)]).toEqual([
    id,
    true,
    { status: 'applied', version: 1, droppedFields: [] },
  ]);
});

test('charges no try while nothing else passes', async () => {
  const server = rejecting(() => ({ t1: internal }));
  const { tasks, platform, plugin } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(3_600_000);
  expect([server.requests.length > 20, plugin.client.status]).toEqual([
    true,
    expect.objectContaining({ pending: 1, deadLetters: 0, state: 'waiting' }),
  ]);
});

test('charges no try to a mutation that only waits for an earlier one of its record', async () => {
  const server = scriptedServer((request, call) => {
    const held = request.mutations.filter(({ recordId }) => recordId === 't1').map(({ id }) => id);
    const { results } = appliedAll(request);
    const answered = results.map((result): SyncMutationResult => {
      const index = held.indexOf(result.mutationId ?? '');
      if (index === -1) return result;
      const code = index === 0 ? 'INTERNAL' : 'BUSY';
      return { status: 'rejected', mutationId: result.mutationId, reason: 'Wait.', code, retryable: true };
    });
    return answer(answered, { checkpoint: `c${call}` });
  });
  const { tasks, platform, plugin } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await tasks.records.update('t1', { title: 'two' });
  for (let index = 0; index < 5; index++) {
    tasks.records.create(`x${index}`, { title: 'fine' });
    await tasks.sync();
    await platform.advance(60_000);
  }
  expect(Array.from(plugin.client.log.pending, ({ tries }) => tries)).toEqual([5, 0]);
});

test('I3 holds the later mutations of a failing record, and lets all others pass', async () => {
  let isBroken = true;
  const server = rejecting(() =>
    isBroken ? { t1: { ...internal, retryAfterMs: 5000 } as Partial<SyncMutationResult> } : {},
  );
  const { tasks, platform, plugin } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  await tasks.records.update('t1', { title: 'two' });
  tasks.records.create('t2', { title: 'other' });
  await platform.advance(1000);
  expect([server.requests.length, plugin.client.status.pending]).toEqual([2, 2]);
  isBroken = false;
  await platform.advance(5000);
  expect([
    server.requests.map(({ mutations }) => mutations.map(({ recordId, sequence }) => `${recordId}#${sequence}`)),
    plugin.client.status,
  ]).toEqual([[['t1#1'], ['t2#3'], ['t1#1', 't1#2']], expect.objectContaining({ pending: 0, state: 'idle' })]);
});

test('waits for a held record as long as the server says', async () => {
  const server = rejecting(() => ({ t1: { ...internal, retryAfterMs: 90_000 } as Partial<SyncMutationResult> }));
  const { tasks, platform, plugin } = device({ transport: server.transport });
  tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  expect(plugin.client.status).toMatchObject({ state: 'waiting', until: platform.now() + 90_000 });
});
