/** How much a request carries: what server, proxy and line take, and what becomes of what nothing can carry. */
import { expect, test } from 'vitest';
import { TransportError } from '../../src/transport/transport.js';
import { device } from '../fixtures/device.js';
import { applies, appliesWith, isGone, RawAnswer, refuses, rejects, type Step } from '../fixtures/scripted-server.js';

/** Takes requests of so many mutations, and does something else with larger ones. */
function takes(most: number, larger: Step): Step {
  return (request, ...call) => (request.mutations.length > most ? larger : applies)(request, ...call);
}

/** Takes what changes no record of this name or with a number behind it, and does something else with the rest. */
function takesNo(name: string, others: Step): Step {
  return (request, ...call) =>
    (request.mutations.some(({ recordId }) => `${recordId}`.startsWith(name)) ? others : applies)(request, ...call);
}

/** Refuses a request as a proxy does that knows nothing of mutations. */
const tooLargeForProxy = refuses(413);

test('halves a batch that is too large until it fits, and recovers', async () => {
  const { tasks, server } = device({ otherwise: takes(10, tooLargeForProxy) });
  for (let index = 0; index < 100; index++) tasks.records.create(`t${index}`, { title: 'x' });
  await tasks.sync();
  const sizes = server.requests.map(({ mutations }) => mutations.length);
  expect([sizes.slice(0, 6), tasks.status.pending]).toEqual([[50, 25, 12, 6, 12, 6], 0]);
  server.otherwise = applies;
  for (let index = 0; index < 50; index++) tasks.records.create(`u${index}`, { title: 'x' });
  await tasks.sync();
  await tasks.sync();
  for (let index = 0; index < 50; index++) tasks.records.create(`v${index}`, { title: 'x' });
  await tasks.sync();
  expect(Math.max(...server.requests.slice(-2).map(({ mutations }) => mutations.length))).toBeGreaterThan(40);
});

test.each([
  ['is no JSON', new SyntaxError('Unexpected token <')],
  ['does not come in time', new TransportError('Slow.', { type: 'timeout' })],
  ['is cut off with its connection', new TransportError('Reset.', { type: 'unreachable' })],
  ["is a firewall's refusal", new TransportError('Forbidden.', { type: 'refused', status: 403 })],
  ["is a gateway's timeout", new TransportError('Gateway timeout.', { type: 'refused', status: 504 })],
])('I13 sends less at its next try where the answer to a batch %s, until it gets through', async (_, failure) => {
  const { tasks, platform, server } = device({ otherwise: takes(10, () => Promise.reject(failure)) });
  for (let index = 0; index < 50; index++) tasks.records.create(`t${index}`, { title: 'x' });
  await tasks.sync();
  await platform.advance(3_600_000);
  const sizes = server.requests.map(({ mutations }) => mutations.length);
  expect([sizes.slice(0, 4), tasks.status.pending]).toEqual([[50, 25, 12, 6], 0]);
});

test.each([0, 1])(
  'I13 asks for fewer changes at its next try, with %d mutations, until a page comes in time',
  async (pending) => {
    const slowLine: Step = (request, server) => {
      // It carries 40 changes within the time of a request.
      if ((request.limit ?? 500) > 40) throw new TransportError('Slow.', { type: 'timeout' });
      return { results: server.apply(request), hasMore: server.requests.length < 9 };
    };
    const { tasks, platform, server } = device({ otherwise: slowLine });
    if (pending > 0) tasks.records.create('t', { title: 'x' });
    await tasks.sync();
    await platform.advance(600_000);
    const limits = server.requests.map(({ limit }) => limit);
    expect([limits, tasks.status.pending]).toEqual([
      pending > 0 ? [undefined, 1, 2, 4, 8, 16, 32, 64, 32] : [undefined, 250, 125, 62, 31, 62, 31, 62, 31],
      0,
    ]);
  },
);

test.each([
  ['the server', refuses(429, 'RATE_LIMITED')],
  ['a proxy', refuses(429)],
])('sends as much as before where %s asks for patience: smaller requests are more requests', async (_, asks) => {
  const { tasks, platform, server } = device({ script: [asks] });
  for (let index = 0; index < 50; index++) tasks.records.create(`t${index}`, { title: 'x' });
  await tasks.sync();
  await platform.advance(120_000);
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([50, 50]);
});

test('waits no longer after each failure where a part gets through each time', async () => {
  const noJson = () => Promise.reject(new SyntaxError('Unexpected token <'));
  const { tasks, platform } = device({ otherwise: takes(10, noJson) });
  for (let index = 0; index < 200; index++) tasks.records.create(`t${index}`, { title: 'x' });
  await tasks.sync();
  // Some 35 failures, a second for each at most; doubled waits would take many minutes.
  await platform.advance(40_000);
  expect(tasks.status).toMatchObject({ state: 'idle', pending: 0 });
});

test('sends little more than before where that takes long already, and twice as much where it does not', async () => {
  let perSecond = 2;
  const slowLine: Step = async (request, server) => {
    await server.wait((request.mutations.length * 1000) / perSecond);
    return applies(request, server);
  };
  const { tasks, platform, server } = device({ otherwise: slowLine, config: { batch_size: 100 } });
  const record = (count: number) => {
    for (let index = 0; index < count; index++) tasks.records.create(`${perSecond}-${index}`, { title: 'x' });
  };
  record(200);
  await platform.advance(300_000);
  perSecond = 20;
  record(250);
  await platform.advance(300_000);
  const sizes = server.requests.map(({ mutations }) => mutations.length);
  expect([sizes, tasks.status.pending]).toEqual([[100, 50, 57, 65, 32, 36, 25, 47, 94, 100, 9], 0]);
});

test('waits no longer after each failure where a page gets through each time', async () => {
  const breaksBehindEachPage: Step = (_, { requests }) => {
    if (requests.length % 2 === 0) throw new TransportError('Reset.', { type: 'unreachable' });
    return { hasMore: requests.length < 70 };
  };
  const { tasks, platform } = device({ otherwise: breaksBehindEachPage });
  await tasks.sync();
  // 35 failures, a second for each at most.
  await platform.advance(40_000);
  expect(tasks.status).toMatchObject({ state: 'idle', lastError: null });
});

test('waits longer after each failure where the feed starts over each time, whatever page gets through', async () => {
  const startsOver: Step = (_, { requests }) =>
    requests.length % 2 === 0 ? { hasMore: true } : { hasMore: true, reset: 'scope' };
  const { tasks, platform, server } = device({ otherwise: startsOver });
  await tasks.sync();
  await platform.advance(600_000);
  // 7 requests at each try, and a minute between two tries at last.
  expect(server.requests.length).toBeLessThan(250);
});

test('waits longer after each failure where the server knows no checkpoint that it gave', async () => {
  const forgets: Step = (request, ...call) =>
    request.lastCheckpoint === null ? { hasMore: true } : refuses(400, 'INVALID_CHECKPOINT')(request, ...call);
  const { tasks, platform, server } = device({ otherwise: forgets });
  await tasks.sync();
  await platform.advance(600_000);
  // 7 requests at each try, and a minute between two tries at last.
  expect(server.requests.length).toBeLessThan(250);
});

test.each<[string, Step]>([
  ['the body', () => new RawAnswer({ error: { code: 'TOO_LARGE', message: 'Too large.' } })],
  ['an error', refuses(413, 'TOO_LARGE')],
])(
  'puts the one mutation that no request can carry among the dead letters, and goes on, told by %s',
  async (_, tells) => {
    const { edit, tasks } = device({ otherwise: takesNo('huge', tells) });
    const made = ['a', 'b', 'huge', 'c', 'd'].map((recordId) => edit(recordId));
    const outcome = tasks.settled(made[2]?.id ?? '');
    await tasks.sync();
    expect([await outcome, tasks.status]).toEqual([
      expect.objectContaining({ status: 'rejected', code: 'TOO_LARGE' }),
      expect.objectContaining({ pending: 0, deadLetters: 1, state: 'idle' }),
    ]);
    const dead = tasks.deadLetters.list().map(({ mutation, code }) => [mutation.recordId, code]);
    expect(dead).toEqual([['huge', 'TOO_LARGE']]);
  },
);

test('makes no dead letter where a proxy refuses every request as too large', async () => {
  const { tasks, platform, server } = device({ otherwise: tooLargeForProxy });
  for (const id of ['a', 'b', 'c', 'd']) tasks.records.create(id, { title: 'x' });
  expect(await tasks.sync()).toBeNull();
  await platform.advance(3_600_000);
  const meanwhile = tasks.status;
  const asked = server.requests.length;
  server.otherwise = applies;
  await platform.advance(120_000);
  expect([meanwhile, tasks.status, asked < 500]).toEqual([
    expect.objectContaining({
      pending: 4,
      deadLetters: 0,
      state: 'waiting',
      lastError: expect.stringContaining('413'),
    }),
    expect.objectContaining({ pending: 0, deadLetters: 0, state: 'idle', lastError: null }),
    true,
  ]);
});

test('asks a proxy that refuses every request as too large no more than ten times for single mutations', async () => {
  const { tasks, server } = device({ otherwise: tooLargeForProxy });
  for (let index = 0; index < 12; index++) tasks.records.create(`t${index}`, { title: 'x' });
  await tasks.sync();
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([12, 6, 3, ...Array(10).fill(1)]);
});

test('sets one mutation that a proxy finds too large aside while others pass', async () => {
  const { tasks, platform } = device({ otherwise: takesNo('huge', tooLargeForProxy) });
  const { id } = tasks.records.create('huge', { title: 'x' });
  for (let index = 0; index < 60 && tasks.deadLetters.size === 0; index++) {
    tasks.records.create(`t${index}`, { title: 'fine' });
    await tasks.sync();
    await platform.advance(120_000);
  }
  expect([await tasks.settled(id), tasks.status]).toEqual([
    { status: 'rejected', code: 'TOO_LARGE', reason: expect.any(String) },
    expect.objectContaining({ pending: 0, deadLetters: 1 }),
  ]);
});

test('lets pass at once what is behind mutations that a proxy finds too large', async () => {
  const { tasks } = device({ otherwise: takesNo('huge', tooLargeForProxy) });
  for (const id of ['huge1', 'huge2', 'huge3', 'a', 'b', 'c']) tasks.records.create(id, { title: 'x' });
  expect(await tasks.sync()).toBeNull();
  expect(tasks.status).toMatchObject({
    pending: 3,
    deadLetters: 0,
    state: 'waiting',
    lastError: expect.stringContaining('413'),
  });
});

test('never blames a mutation that was not in a body that was too large', async () => {
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

test('sends no more than the server says it takes', async () => {
  const limits = { maxBodyBytes: 1_000_000, maxMutations: 3 };
  const { tasks, server } = device({ otherwise: appliesWith({ limits }) });
  await tasks.sync();
  for (let index = 0; index < 7; index++) tasks.records.create(`t${index}`, { title: 'x' });
  await tasks.sync();
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([0, 3, 3, 1]);
});

test('sends no larger a body than the server says it takes', async () => {
  const limits = { maxBodyBytes: 2000, maxMutations: 100 };
  const { tasks, server } = device({ otherwise: appliesWith({ limits }) });
  await tasks.sync();
  for (let index = 0; index < 4; index++) tasks.records.create(`t${index}`, { title: 'x'.repeat(500) });
  await tasks.sync();
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([0, 2, 2]);
});

test('sends fewer when results say the batch was too large, and charges nobody', async () => {
  const tooMany = { status: 'rejected', reason: 'Too many.', code: 'BATCH_TOO_LARGE', retryable: true } as const;
  const takesTwo: Step = (request, server) => ({
    results: [
      ...server.apply({ ...request, mutations: request.mutations.slice(0, 2) }),
      ...request.mutations.slice(2).map(({ id }) => ({ ...tooMany, mutationId: id })),
    ],
  });
  const { tasks } = device({ otherwise: takesTwo });
  for (let index = 0; index < 8; index++) tasks.records.create(`t${index}`, { title: 'x' });
  await tasks.sync();
  expect(tasks.status).toMatchObject({ pending: 0, deadLetters: 0 });
});

test('I13 sets aside what is a batch too large even alone, and sends what is behind it', async () => {
  const tooMuch = rejects({ reason: 'Too much.', code: 'BATCH_TOO_LARGE', retryable: true }, 'huge');
  const { tasks } = device({ script: Array(5).fill(tooMuch), otherwise: isGone });
  for (const recordId of ['huge', 'small']) tasks.records.create(recordId, { title: 'x' });
  await tasks.sync();
  expect(tasks.status).toMatchObject({ pending: 0, deadLetters: 1 });
  expect(tasks.deadLetters.list()).toMatchObject([
    { code: 'TOO_LARGE', reason: 'Too much.', mutation: { recordId: 'huge' } },
  ]);
});

test('sends a batch of which a server takes nothing in smaller ones, until they fit', async () => {
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
