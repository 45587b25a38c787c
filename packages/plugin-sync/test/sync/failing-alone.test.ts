/** Mutations that get no answer even alone let others go first. */
import { expect, test } from 'vitest';
import { TransportError } from '../../src/transport/transport.js';
import { device } from '../fixtures/device.js';
import {
  applies,
  appliesWith,
  change,
  hangs,
  isGone,
  refuses,
  rejects,
  type Step,
} from '../fixtures/scripted-server.js';

test.each([
  ['is no JSON', new SyntaxError('Unexpected token <')],
  ['does not come in time', new TransportError('Slow.', { type: 'timeout' })],
  ['is cut off with its connection', new TransportError('Reset.', { type: 'unreachable' })],
  ["is a firewall's refusal", new TransportError('Forbidden.', { type: 'refused', status: 403 })],
  ["is the server's own failure", new TransportError('No.', { type: 'refused', status: 500, code: 'INTERNAL' })],
])(
  'I13 sends what is behind a mutation of which the answer %s, and takes in what others did, until it gets through',
  async (_, failure) => {
    const others = appliesWith({ serverChanges: [change('theirs')] });
    const takes: Step = (request, ...call) =>
      request.mutations.some(({ recordId }) => `${recordId}`.startsWith('poison'))
        ? Promise.reject(failure)
        : others(request, ...call);
    const { tasks, platform, server, seen } = device({ otherwise: takes });
    for (const id of ['poison1', 'poison2', 'a', 'b', 'c']) tasks.records.create(id, { title: id });
    await platform.advance(300_000);
    const meanwhile = [tasks.status, await seen()];
    const { length } = server.requests;
    tasks.records.create('d', { title: 'd' });
    await platform.advance(60_000);
    const { pending } = tasks.status;
    server.otherwise = applies;
    await platform.advance(120_000);
    expect([meanwhile, length < 150, pending, tasks.status]).toEqual([
      [
        expect.objectContaining({ state: 'waiting', pending: 2, deadLetters: 0 }),
        expect.objectContaining({ theirs: 'theirs' }),
      ],
      true,
      2,
      expect.objectContaining({ state: 'idle', pending: 0, deadLetters: 0, lastError: null }),
    ]);
  },
);

test('says in the status why a mutation lets others go first, also behind a sync of others that went well', async () => {
  const { tasks, platform, server } = device({ otherwise: refusesPoison });
  const told: (string | null)[] = [];
  tasks.addListener({ onSyncComplete: () => void told.push(tasks.status.lastError) });
  tasks.records.create('poison', { title: 'x' });
  await platform.advance(300_000);
  for (let edit = 0; edit < 20; edit++) {
    tasks.records.create(`fine${edit}`, { title: 'x' });
    await platform.advance(1000);
  }
  const before = [...told];
  server.otherwise = applies;
  await platform.advance(120_000);
  expect([new Set(before), told.at(-1), tasks.status.pending]).toEqual([new Set(['Refused with 403.']), null, 0]);
});

test('forgets why a mutation got no answer once the server answers it, also if only to put it off', async () => {
  const { tasks, plugin, platform, server } = device({ otherwise: refusesPoison });
  const { id } = tasks.records.create('poison', { title: 'x' });
  await platform.advance(300_000);
  server.otherwise = rejects({ code: 'BUSY', retryable: true });
  await platform.advance(120_000);
  await tasks.sync();
  const { pending, lastError } = tasks.status;
  expect([pending, lastError, plugin.client.failuresAlone(id)]).toEqual([1, null, undefined]);
});

test('does not count a pause as a failure: what was under way is sent as before', async () => {
  const { edit, plugin, platform, server } = device({ otherwise: hangs });
  const { id } = edit();
  for (let pauses = 0; pauses < 8; pauses++) {
    await platform.advance(1000);
    plugin.client.pause();
    plugin.client.resume();
  }
  await platform.advance(1000);
  const asked = server.requests.map(({ mutations, limit }) => [mutations.length, limit]);
  expect([plugin.client.failuresAlone(id), asked]).toEqual([undefined, Array(9).fill([1, undefined])]);
});

test('I13 keeps the order of records while nothing gets through, and sends them with the first request that does', async () => {
  const { edit, tasks, platform, server } = device({ otherwise: isGone });
  const made = ['project', 'task', 'subtask'].map((recordId) => edit(recordId).id);
  await platform.advance(3_600_000);
  server.otherwise = applies;
  const answer = await tasks.sync();
  expect([answer?.results.length, server.applied, tasks.status.pending]).toEqual([3, made, 0]);
});

test('I13 keeps the order of records where the first requests after an outage fail, too', async () => {
  const { edit, tasks, platform, server } = device({ otherwise: isGone });
  const made = ['project', 'task', 'subtask'].map((recordId) => edit(recordId).id);
  await platform.advance(3_600_000);
  let failures = 1;
  server.otherwise = (request, ...call) =>
    (request.mutations.length > 0 && failures-- > 0 ? isGone : applies)(request, ...call);
  await platform.advance(300_000);
  expect([server.applied, tasks.status.pending]).toEqual([made, 0]);
});

test('I13 sends what is behind many mutations that no request gets through, and each of these when one does', async () => {
  let forbidden = /^poison/;
  const others = appliesWith({ checkpoint: 'no news' });
  const takes: Step = (request, ...call) =>
    (request.mutations.some(({ recordId }) => forbidden.test(`${recordId}`)) ? refuses(403) : others)(request, ...call);
  const { tasks, platform, server } = device({ otherwise: takes });
  for (let index = 0; index < 20; index++) tasks.records.create(`poison${index}`, { title: 'x' });
  const { id } = tasks.records.create('fine', { title: 'x' });
  await platform.advance(1_200_000);
  const [first] = server.applied;
  const { length } = server.requests;
  await platform.advance(1_200_000);
  const later = server.requests.length - length;
  forbidden = /^poison0/;
  await platform.advance(1_200_000);
  // A try a minute, at half a minute on average, is two requests: one finds out that others pass.
  expect([first, later < 150, tasks.status.pending]).toEqual([id, true, 1]);
});

test('I13 tries a mutation again that was put off, and ends each sync, while others are recorded all the time', async () => {
  let edits = 0;
  const recordsMore: Step = async (request, server) => {
    const isPoison = request.mutations.some(({ recordId }) => recordId === 'poison');
    tasks.records.create(`more${edits++}`, { title: 'x' });
    await server.wait(200);
    return (isPoison ? refuses(403) : applies)(request, server);
  };
  const { tasks, platform, server, sent, heard } = device({ otherwise: recordsMore });
  tasks.records.create('poison', { title: 'x' });
  await platform.advance(120_000);
  const { length } = server.requests;
  await platform.advance(600_000);
  const tries = sent()
    .slice(length)
    .filter(([recordId]) => recordId === 'poison');
  const errors = heard.filter((line) => line.startsWith('error'));
  expect([tries.length > 9, errors.length > 9]).toEqual([true, true]);
});

const refusesPoison: Step = (request, ...call) =>
  (request.mutations.some(({ recordId }) => recordId === 'poison') ? refuses(403) : applies)(request, ...call);
