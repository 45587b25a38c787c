import { describe, expect, test } from 'vitest';
import { device } from '../../test/fixtures/device.js';
import { applies, appliesWith, change, refuses, type Step } from '../../test/fixtures/scripted-server.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { FaultStorage } from '../testing/fault-storage.js';

describe('a request without valid credentials', () => {
  test('is known by its body alone, for transports that hand over nothing else', async () => {
    const body = { error: { code: 'UNAUTHENTICATED', message: 'Sign in.' } };
    // A transport as the guide shows it returns whatever JSON came back.
    const { edit, tasks } = device({ transport: { push: async () => body as never } });
    edit();
    await tasks.sync();
    expect(tasks.status.state).toBe('needs-auth');
  });
});

test("another user's storage is neither sent nor changed, and what was recorded meanwhile is not lost silently", async () => {
  const alice = device({ user: 'alice', otherwise: refuses(500) });
  alice.edit();
  await alice.tasks.flush();
  const stored = await alice.storage.load();

  const bob = device({ user: 'bob', storage: alice.storage });
  bob.edit('t2');
  await bob.tasks.sync();
  await expect(bob.tasks.flush()).rejects.toMatchObject({ code: 'WRONG_USER' });

  const { state, pending } = bob.tasks.status;
  expect({ state, pending, requests: bob.server.requests.length, stored: await alice.storage.load() }).toEqual({
    state: 'needs-auth',
    pending: 1,
    requests: 0,
    stored,
  });
});

describe('a body that is too large', () => {
  test('of one mutation makes that one a dead letter, and the others go through', async () => {
    const isBig: Step = (request, server) =>
      request.mutations.some(({ recordId }) => recordId === 'big')
        ? refuses(413, 'TOO_LARGE')(request, server)
        : applies(request, server);
    const { edit, tasks, platform } = device({ otherwise: isBig });
    for (const recordId of ['a', 'b', 'big', 'c', 'd']) edit(recordId);
    await tasks.sync();
    await platform.advance(600_000);
    const dead = tasks.deadLetters.list().map(({ mutation, code }) => [mutation.recordId, code]);
    expect({ dead, pending: tasks.status.pending }).toEqual({ dead: [['big', 'TOO_LARGE']], pending: 0 });
  });

  test('is never the fault of a mutation that was not in it', async () => {
    const refusesAfterAnEdit: Step = async (request, server) => {
      edit('innocent');
      await server.wait(10);
      return refuses(413, 'TOO_LARGE')(request, server);
    };
    const { edit, tasks, platform } = device({ script: [refusesAfterAnEdit] });
    void tasks.sync();
    await platform.advance(600_000);
    expect({ dead: tasks.deadLetters.size, pending: tasks.status.pending }).toEqual({ dead: 0, pending: 0 });
  });
});

test('a batch of which a server takes nothing is sent in smaller ones, until they fit', async () => {
  const takesTwo: Step = (request, server) => {
    // One that keeps its size would be asked without end.
    if (server.requests.length > 10) return refuses(500)(request, server);
    if (request.mutations.length <= 2) return applies(request, server);
    const tooMany = { status: 'rejected', code: 'BATCH_TOO_LARGE', reason: 'Two at most.', retryable: true } as const;
    return { results: request.mutations.map(({ id }) => ({ mutationId: id, ...tooMany })) };
  };
  const { edit, tasks } = device({ otherwise: takesTwo });
  for (const recordId of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) edit(recordId);
  await tasks.sync();
  expect(tasks.status).toMatchObject({ pending: 0, deadLetters: 0 });
});

test('I2 a cloned device takes a new log, and tells of what is pending in which one it got its sequence', async () => {
  const { edit, tasks, server } = device({ script: [refuses(409, 'LOG_FORKED')] });
  const ids = [edit('t1').id, edit('t2').id];
  await tasks.sync();
  const [first, second] = server.requests;
  expect({
    isNewLog: first?.logId !== second?.logId,
    sent: second?.mutations,
    applied: server.applied,
  }).toEqual({
    isNewLog: true,
    sent: first?.mutations.map((mutation) => ({ ...mutation, firstLogId: first.logId })),
    applied: ids,
  });
});

test('a checkpoint the server cannot read is given up, and the walk drops what the server no longer has', async () => {
  const { tasks, server } = device({
    script: [
      appliesWith({ serverChanges: [change('old'), change('kept')], checkpoint: 'garbled' }),
      refuses(400, 'INVALID_CHECKPOINT'),
      appliesWith({ serverChanges: [change('kept')], checkpoint: 'good' }),
    ],
  });
  await tasks.sync();
  await tasks.sync();
  const records = await tasks.records.list();
  expect({
    asked: server.requests.map(({ lastCheckpoint }) => lastCheckpoint),
    records: records.map(({ recordId }) => recordId),
  }).toEqual({ asked: [null, 'garbled', null], records: ['kept'] });
});

test('a storage that cannot be opened is tried again, and nothing recorded meanwhile is lost', async () => {
  const storage = new FaultStorage(new MemoryStorage());
  storage.fail('load', new Error('The database is locked.'));
  const { edit, tasks, platform, server, heard } = device({ storage });
  edit();
  await platform.advance(10_000);
  const failing = {
    pending: tasks.status.pending,
    requests: server.requests.length,
    told: heard.includes('error: The database is locked.'),
  };
  storage.heal();
  await platform.advance(120_000);
  expect([failing, server.applied.length, tasks.status.pending]).toEqual([
    { pending: 1, requests: 0, told: true },
    1,
    0,
  ]);
});
