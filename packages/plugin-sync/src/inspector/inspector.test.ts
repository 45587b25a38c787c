import { expect, it } from 'vitest';
import {
  applies,
  appliesWith,
  change,
  isGone,
  refuses,
  ScriptedServer,
  type Step,
} from '../../test/fixtures/scripted-server.js';
import { TestPlatform } from '../platform/test-platform.js';
import { SyncPlugin } from '../sync-plugin.js';
import { Inspector } from './inspector.js';

function inspected(script: readonly Step[] = [], keep?: number) {
  const platform = new TestPlatform();
  const server = new ScriptedServer(platform, script);
  const sync = new SyncPlugin({ clientId: 'device', transport: server, platform });
  const inspector = new Inspector(sync, { now: () => platform.now(), keep });
  return { platform, server, sync, tasks: sync.getEngine('task'), inspector };
}

const AT = Date.UTC(2026, 0, 1);

it('shows requests and outcomes, the newest first, and the log in between', async () => {
  const { sync, tasks, inspector, server } = inspected([
    appliesWith({ serverChanges: [change('b')] }),
    isGone,
    ({ mutations }) => ({
      results: mutations.map(({ id }) => ({ mutationId: id, status: 'rejected', code: 'VALIDATION', reason: 'No.' })),
    }),
  ]);
  const a = tasks.records.create('a', { title: 'A' });
  await tasks.sync();
  const b = await tasks.records.update('b', { title: 'B' });
  await tasks.sync();
  expect(inspector.inspection.getSnapshot()).toMatchObject({
    clientId: 'device',
    checkpoint: 'place-1',
    status: { state: 'waiting', pending: 1 },
    log: [{ mutation: b, progress: 'stored', tries: 0, round: 0 }],
  });
  await tasks.sync();

  const { requests, outcomes, log, deadLetters } = inspector.inspection.getSnapshot();
  const push = { kind: 'push', startedAt: AT } as const;
  expect(requests).toEqual([
    {
      ...push,
      number: 3,
      mutationIds: [b.id],
      checkpoint: 'place-1',
      outcome: { status: 'answered', tookMs: 0, changes: 0, checkpoint: 'place-3', hasMore: false, reset: null },
    },
    {
      ...push,
      number: 2,
      mutationIds: [b.id],
      checkpoint: 'place-1',
      outcome: { status: 'failed', tookMs: 0, message: 'The server could not be reached.' },
    },
    {
      ...push,
      number: 1,
      mutationIds: [a.id],
      checkpoint: null,
      outcome: { status: 'answered', tookMs: 0, changes: 1, checkpoint: 'place-1', hasMore: false, reset: null },
    },
  ]);
  const of = { objectName: 'task', at: AT } as const;
  expect(outcomes).toEqual([
    { ...of, mutationId: b.id, recordId: 'b', operation: 'update', status: 'rejected', detail: 'VALIDATION: No.' },
    { ...of, mutationId: a.id, recordId: 'a', operation: 'create', status: 'applied', detail: 'version 1' },
  ]);
  expect([log, deadLetters.map(({ id }) => id)]).toEqual([[], [b.id]]);
  expect(server.requests.length).toBe(3);
  await sync.close();
});

it('tells what changes, and keeps the parts that do not', async () => {
  const { sync, tasks, inspector } = inspected();
  const { inspection } = inspector;
  const seen = [inspection.getSnapshot()];
  const stop = inspection.subscribe(() => seen.push(inspection.getSnapshot()));
  await tasks.sync();
  stop();
  const last = seen.at(-1);
  const told = seen.map(({ requests }) => requests[0]?.outcome.status);
  expect([...new Set(told)]).toEqual([undefined, 'under way', 'answered']);
  expect(last?.conflicts).toBe(seen[0]?.conflicts);
  expect(inspection.getSnapshot()).toBe(last);
  await tasks.sync();
  expect(seen.length).toBe(told.length);
  await sync.close();
});

it('keeps no more than it was told to', async () => {
  const { sync, tasks, inspector } = inspected([], 2);
  for (const id of ['a', 'b', 'c']) {
    tasks.records.create(id, {});
    await tasks.sync();
  }
  for (const id of ['d', 'e', 'f']) tasks.records.create(id, {});
  const { requests, outcomes, log, status } = inspector.inspection.getSnapshot();
  expect(requests.map(({ number }) => number)).toEqual([3, 2]);
  expect(outcomes.map(({ recordId }) => recordId)).toEqual(['c', 'b']);
  expect(log.map(({ mutation }) => mutation.recordId)).toEqual(['d', 'e']);
  expect(status.pending).toBe(3);
  await sync.close();
});

it('says which changes are being sent, and explains a record by them', async () => {
  let answer = () => {};
  const asked = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const { sync, tasks, inspector } = inspected([
    appliesWith({ serverChanges: [change('a', 4, { title: 'Theirs' })] }),
    async (request, server) => {
      answer();
      await server.wait(1000);
      return { results: server.apply(request) };
    },
  ]);
  await tasks.sync();
  const update = await tasks.records.update('a', { title: 'Mine' });
  const syncing = tasks.sync();
  await asked;
  const explanation = await inspector.explain({ objectName: 'task', recordId: 'a' });
  expect(explanation).toMatchObject({
    base: { version: 4, data: { title: 'Theirs' } },
    pending: [{ mutation: update, progress: 'sending' }],
    shown: { data: { title: 'Mine' }, version: 4, isPending: true },
    fields: [{ field: 'title', value: 'Mine', mutationId: update.id, serverValue: 'Theirs' }],
    because: ['The server last told version 4.', 'On top of it lies update 1 of title, made here: being sent.'],
  });
  await sync.close();
  await syncing;
});

it('explains a change that no request gets through, also when it looks only then', async () => {
  const { sync, tasks, server, platform } = inspected();
  server.otherwise = (request, ...call) =>
    (request.mutations.some(({ recordId }) => recordId === 'a') ? refuses(403) : applies)(request, ...call);
  tasks.records.create('a', { title: 'A' });
  for (let tries = 0; tries < 8; tries++) await tasks.sync();
  const { because, pending } = await new Inspector(sync).explain({ objectName: 'task', recordId: 'a' });
  const failedAlone = { count: expect.any(Number), message: 'Refused with 403.' };
  expect([because.slice(1), pending]).toEqual([
    [
      'On top of it lies create 1 of title, made here: stored, to be sent again.',
      expect.stringMatching(/^Sent alone, create 1 has failed \d times .* “Refused with 403.”. Others go first/),
    ],
    [expect.objectContaining({ failedAlone })],
  ]);
  server.otherwise = applies;
  await platform.advance(120_000);
  expect([sync.client.status.pending, sync.client.failuresAlone(pending[0]?.mutation.id ?? '')]).toEqual([
    0,
    undefined,
  ]);
  await sync.close();
});

it('explains a record by what waits of this record alone', async () => {
  const { sync, inspector } = inspected([
    ({ mutations }) => ({
      results: mutations.map((clientMutation) => {
        const { id: mutationId, objectName, recordId, data } = clientMutation;
        if (data?.title !== 'conflict') return { mutationId, status: 'rejected', code: 'VALIDATION', reason: 'No.' };
        const conflictingFields = ['title'];
        const conflict = { objectName, recordId, clientMutation, serverRecord: {}, conflictingFields };
        return { mutationId, status: 'conflict', conflict: { ...conflict, strategy: 'manual', serverVersion: 2 } };
      }),
    }),
  ]);
  const waiting = [
    ['task', 'a', 'conflict'],
    ['task', 'b', 'refused'],
    ['note', 'b', 'conflict'],
    ['note', 'a', 'refused'],
  ] as const;
  for (const [objectName, recordId, title] of waiting) sync.getEngine(objectName).records.create(recordId, { title });
  await sync.syncAll();
  const found = waiting.map(async ([objectName, recordId]) => {
    const { conflicts, deadLetters } = await inspector.explain({ objectName, recordId });
    return [conflicts.length, deadLetters.length];
  });
  expect(await Promise.all(found)).toEqual([
    [1, 0],
    [0, 1],
    [1, 0],
    [0, 1],
  ]);
  await sync.close();
});

it('leaves the transport as it was, unless another has taken its place', async () => {
  const { sync, inspector, server } = inspected();
  expect(sync.client.transport).not.toBe(server);
  inspector.close();
  expect(sync.client.transport).toBe(server);

  const later = new Inspector(sync);
  sync.client.transport = new ScriptedServer(new TestPlatform());
  const { transport } = sync.client;
  later.close();
  expect(sync.client.transport).toBe(transport);
  await sync.close();
});

it('shows that a change has become durable, which no status tells', async () => {
  const { sync, tasks, inspector, platform } = inspected();
  platform.setOnline(false);
  const shown: (string | undefined)[] = [];
  inspector.inspection.subscribe(() => shown.push(inspector.inspection.getSnapshot().log[0]?.progress));
  tasks.records.create('a', { title: 'A' });
  await platform.advance(0);
  expect(shown.slice(-2)).toEqual(['storing', 'stored']);
  await sync.close();
});

it('lets requests go out though whoever shows them fails, and tells of that', async () => {
  const { sync, tasks, inspector, server } = inspected();
  const errors = new Set<string>();
  sync.client.listeners.add({ onSyncError: ({ message }) => void errors.add(message) });
  inspector.inspection.subscribe(() => {
    throw new Error('cannot render');
  });
  tasks.records.create('a', {});
  await tasks.sync();
  expect([server.requests.length, sync.client.status.pending, [...errors]]).toEqual([1, 0, ['cannot render']]);
  await sync.close();
});
