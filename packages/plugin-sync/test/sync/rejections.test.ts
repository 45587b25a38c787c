/** Rejections: terminal ones leave the queue for the user, retryable ones hold their own record and nothing else. */
import type { SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { device } from '../fixtures/device.js';
import { realServer } from '../fixtures/real-server.js';
import { applies, rejects, type Step } from '../fixtures/scripted-server.js';

const internal = { code: 'INTERNAL', retryable: true } as const;

test('a terminal rejection goes to the dead letters and blocks nothing', async () => {
  const platform = new TestPlatform();
  const server = realServer(platform, { authorize: { write: ({ mutation }) => mutation.recordId !== 'forbidden' } });
  const { tasks, storage, seen } = device({ transport: server.connect().transport, platform });
  const { id } = tasks.records.create('forbidden', { title: 'x' });
  tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  expect([await tasks.settled(id), tasks.status, await seen()]).toEqual([
    { status: 'rejected', code: 'FORBIDDEN', reason: 'You may not make this change.' },
    expect.objectContaining({ pending: 0, deadLetters: 1, attention: true, state: 'idle' }),
    { t1: 'one' },
  ]);
  expect((await storage.load()).deadLetters.map((letter) => letter.id)).toEqual([id]);
});

test('a refusal with a code of a later server is final unless it says otherwise, and is shown as it is', async () => {
  const refusedByCode = ({ mutations }: SyncPushRequest) => ({
    results: mutations.map(({ id, recordId }) => ({
      status: 'rejected' as const,
      mutationId: id,
      reason: 'No.',
      // The cast stands for codes that this client has never heard of.
      ...((recordId === 'final' ? { code: 'OVER_QUOTA' } : { code: 'MIGRATING', retryable: true }) as object),
    })),
  });
  const { tasks, platform } = device({ script: [refusedByCode] });
  const { id } = tasks.records.create('final', { title: 'x' });
  tasks.records.create('passing', { title: 'x' });
  await tasks.sync();
  await platform.advance(60_000);
  expect([await tasks.settled(id), tasks.status]).toEqual([
    { status: 'rejected', code: 'OVER_QUOTA', reason: 'No.' },
    expect.objectContaining({ pending: 0, deadLetters: 1, lastError: null }),
  ]);
});

test('a dead letter is kept across processes, exported, discarded', async () => {
  const first = device({ otherwise: rejects({ code: 'VALIDATION' }) });
  const { id } = first.tasks.records.create('bad', { title: 'x' });
  await first.tasks.sync();
  first.tasks.pause();
  const next = device({ transport: first.server, storage: first.storage });
  await next.plugin.client.open();
  expect(JSON.parse(next.tasks.deadLetters.export())).toEqual([
    expect.objectContaining({ id, code: 'VALIDATION', reason: 'No.', mutation: expect.objectContaining({ id }) }),
  ]);
  await next.tasks.deadLetters.discard(id);
  expect([next.tasks.deadLetters.list(), (await next.storage.load()).deadLetters]).toEqual([[], []]);
  await expect(next.tasks.deadLetters.discard(id)).rejects.toMatchObject({ code: 'UNKNOWN_ID' });
});

test('shows what an earlier process left to who looks at nothing but the status or the list, also offline', async () => {
  const first = device({ otherwise: rejects({ code: 'INVALID' }) });
  const { id } = first.tasks.records.create('t1', {});
  await first.tasks.sync();
  first.tasks.records.create('t2', {});
  await first.plugin.close();

  const platform = new TestPlatform({ seed: 2 });
  platform.setOnline(false);
  const next = () => device({ transport: first.server, platform, storage: first.storage });
  const badge = next();
  const statuses: unknown[] = [];
  badge.tasks.subscribeStatus(({ pending, deadLetters }) => void statuses.push([pending, deadLetters]));
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
  const { tasks } = device({ transport, platform });
  const { id } = tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  isForbidden = false;
  const again = await tasks.deadLetters.retry(id);
  await tasks.sync();
  expect([again.id === id, again.sequence, requests.length, await tasks.settled(again.id), tasks.status]).toEqual([
    false,
    2,
    2,
    { status: 'applied', version: 1, droppedFields: [] },
    expect.objectContaining({ deadLetters: 0, pending: 0 }),
  ]);
});

test('retries a dead letter once, however often it is asked for at once', async () => {
  const { edit, tasks, server } = device({ script: [rejects({ code: 'FORBIDDEN' }, 'not-mine')] });
  const { id } = edit('not-mine');
  await tasks.sync();
  await Promise.allSettled([tasks.deadLetters.retry(id), tasks.deadLetters.retry(id)]);
  await tasks.sync();
  expect([server.applied.length, tasks.status.pending]).toEqual([1, 0]);
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
  const { tasks } = device({ transport: server.connect().transport, platform });
  const { id } = tasks.records.create('poison', { title: 'x' });
  for (let index = 0; index < 60 && tasks.deadLetters.size === 0; index++) {
    tasks.records.create(`t${index}`, { title: 'fine' });
    await tasks.sync();
    await platform.advance(60_000);
  }
  // Tries made while nothing else passed are not charged, so there may be more than ten.
  expect([tries >= 10, await tasks.settled(id), tasks.status.pending]).toEqual([
    true,
    { status: 'rejected', code: 'INTERNAL', reason: expect.any(String) },
    0,
  ]);
});

test('quarantines a mutation after ten tries while others settle, and retries it under its own id', async () => {
  const { edit, tasks, server, platform } = device({ otherwise: rejects({ code: 'INTERNAL' }, 'poison') });
  const poison = edit('poison');
  let others = 0;
  while (tasks.deadLetters.size === 0 && others < 100) {
    others += 1;
    edit(`t${others}`);
    await platform.advance(60_000);
  }
  // Tries of its own in between are no proof against it: only those count while others pass.
  expect({
    others,
    dead: tasks.deadLetters.list().map(({ id, code }) => ({ id, code })),
    applied: server.applied.length,
    pending: tasks.status.pending,
  }).toEqual({ others: 10, dead: [{ id: poison.id, code: 'INTERNAL' }], applied: 10, pending: 0 });

  server.otherwise = applies;
  const again = await tasks.deadLetters.retry(poison.id);
  await tasks.sync();
  // The server may have applied it after all, so it keeps its id.
  expect([again.id, again.sequence > 10, await tasks.settled(poison.id)]).toEqual([
    poison.id,
    true,
    { status: 'applied', version: 2, droppedFields: [] },
  ]);
});

test('charges no try while nothing else passes', async () => {
  const { tasks, platform, server } = device({ otherwise: rejects(internal) });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(3_600_000);
  expect([server.requests.length > 20, tasks.status]).toEqual([
    true,
    expect.objectContaining({ pending: 1, deadLetters: 0, state: 'waiting' }),
  ]);
});

test('charges no try to a mutation that only waits for an earlier one of its record', async () => {
  const holdsT1: Step = (request, server) => {
    const held = request.mutations.filter(({ recordId }) => recordId === 't1');
    const others = request.mutations.filter(({ recordId }) => recordId !== 't1');
    const results = held.map(({ id }, index): SyncMutationResult => {
      const code = index === 0 ? 'INTERNAL' : 'BUSY';
      return { status: 'rejected', mutationId: id, reason: 'Wait.', code, retryable: true };
    });
    return { results: [...results, ...server.apply({ ...request, mutations: others })] };
  };
  const { tasks, platform, plugin } = device({ otherwise: holdsT1 });
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
  const { tasks, platform, server } = device({ otherwise: rejects({ ...internal, retryAfterMs: 5000 }, 't1') });
  tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  await tasks.records.update('t1', { title: 'two' });
  tasks.records.create('t2', { title: 'other' });
  await platform.advance(1000);
  expect([server.requests.length, tasks.status.pending]).toEqual([2, 2]);
  server.otherwise = applies;
  await platform.advance(5000);
  expect([
    server.requests.map(({ mutations }) => mutations.map(({ recordId, sequence }) => `${recordId}#${sequence}`)),
    tasks.status,
  ]).toEqual([[['t1#1'], ['t2#3'], ['t1#1', 't1#2']], expect.objectContaining({ pending: 0, state: 'idle' })]);
});
