/** Mutations are sent behind others before the answer to those is read: once the server has told that it has them. */
import type { SyncPushRequest } from '@objectql/sync-types';
import { describe, expect, test } from 'vitest';
import { device } from '../fixtures/device.js';
import { announces, applies, losesAnnounced, type Step } from '../fixtures/scripted-server.js';
import { turns } from '../fixtures/turns.js';

test('sends the next mutations while the outcome of those before is being stored, each once and in order', async () => {
  const { tasks, edit, server } = device({ config: { batch_size: 2 } });
  for (const recordId of ['a', 'b', 'a', 'c', 'b']) edit(recordId);
  await tasks.sync();
  expect(
    server.requests.map(({ mutations, lastCheckpoint }) => [lastCheckpoint, mutations.map((m) => m.sequence)]),
  ).toEqual([
    [null, [1, 2]],
    ['place-1', [3, 4]],
    ['place-2', [5]],
  ]);
  expect(tasks.status.pending).toBe(0);
});

/** A device with six edits of three records, of which two go out at a time. */
function filled(script: readonly Step[], otherwise?: Step) {
  const made = device({ script, config: { batch_size: 2 }, ...(otherwise ? { otherwise } : {}) });
  const ids = ['a', 'b', 'a', 'c', 'b', 'a'].map((recordId) => made.edit(recordId).id);
  const asked = () =>
    made.server.requests.map(({ lastCheckpoint, mutations }) => [
      lastCheckpoint,
      ...mutations.map(({ sequence }) => sequence),
    ]);
  return { ...made, ids, asked };
}

describe('a push that is announced to be applied', () => {
  test('I3 is followed by the next one at once, by two at most, and each mutation is sent once in its order', async () => {
    const { tasks, server, ids, asked } = filled([], announces());
    await tasks.sync();
    expect([asked(), server.applied, server.mostAtOnce, tasks.status.pending]).toEqual([
      [
        [null, 1, 2],
        ['place-1', 3, 4],
        ['place-2', 5, 6],
      ],
      ids,
      2,
      0,
    ]);
  });

  test('is followed by nothing when nothing is left to send', async () => {
    const { tasks, edit, server } = device({ otherwise: announces() });
    edit();
    await tasks.sync();
    expect([server.requests.length, tasks.status.pending]).toEqual([1, 0]);
  });

  test('is followed by what belongs to the sync alone', async () => {
    const editsMeanwhile: Step = async (...call) => {
      edit('after');
      await tasks.flush();
      return announces()(...call);
    };
    const { tasks, edit, sent } = device({ script: [editsMeanwhile] });
    edit('before');
    await tasks.sync();
    expect([sent(), tasks.status.pending]).toEqual([[['before']], 1]);
  });

  test('I1 I2 I3 and whose answer is lost is sent again before what was sent behind it, and all counts once', async () => {
    const { tasks, server, platform, ids, asked } = filled([losesAnnounced]);
    await tasks.sync();
    const failed = [[...server.applied], tasks.status.pending, tasks.getCheckpoint()];
    await platform.advance(60_000);
    expect([failed, asked(), server.applied, tasks.status.pending]).toEqual([
      [ids.slice(0, 4), 6, null],
      [
        [null, 1, 2],
        ['place-1', 3, 4],
        // Less than before, as with all that fails.
        [null, 1],
        ['place-3', 2, 3],
        ['place-4', 4, 5],
        ['place-5', 6],
      ],
      ids,
      0,
    ]);
  });

  test('I6 to end elsewhere than it does has what was sent behind it sent again, from where it ends', async () => {
    // What was sent by mistake is answered late, and not sent again before that.
    const { tasks, server, ids, asked } = filled([announces({ place: 'place-9' }), announces({ afterTurns: 200 })]);
    await tasks.sync();
    expect([asked(), server.applied, server.hasHadTwice, tasks.status.pending]).toEqual([
      [
        [null, 1, 2],
        ['place-9', 3, 4],
        ['place-1', 3, 4],
        ['place-3', 5, 6],
      ],
      ids,
      false,
      0,
    ]);
  });

  test('only after the answer is there is followed by nothing more than that', async () => {
    const announcesLate: Step = async (request, server, options) => {
      void Promise.resolve(announces({ afterTurns: 100 })(request, server)).then(() =>
        options?.onNextPage?.('place-1'),
      );
      return applies(request, server);
    };
    const { tasks, server, ids, asked } = filled([announcesLate], announces({ afterTurns: 100 }));
    await tasks.sync();
    expect([asked(), server.applied, server.hasHadTwice]).toEqual([
      [
        [null, 1, 2],
        ['place-1', 3, 4],
        ['place-2', 5, 6],
      ],
      ids,
      false,
    ]);
  });

  test('I6 and starts the feed over has what was sent behind it sent again', async () => {
    const { tasks, ids, server, storage } = filled([announces({ answer: { reset: 'expired' } })]);
    await tasks.sync();
    const stored = storage.commits.flatMap(({ meta, expectCheckpoint }) =>
      expectCheckpoint === undefined ? [] : [meta?.checkpoint],
    );
    expect([stored, server.applied, tasks.status.pending]).toEqual([['place-1', 'place-3', 'place-4'], ids, 0]);
  });

  test('I3 but is not, in part, is stored before what was sent behind it is sent again', async () => {
    const { tasks, platform, server, ids, asked } = filled([announcesFalsely]);
    await tasks.sync();
    const { pending } = tasks.status;
    await platform.advance(60_000);
    // What is held waits; what was sent behind it is asked for again, and not taken from an answer out of turn.
    expect([asked().slice(0, 3), pending, [...server.applied].sort(), tasks.status.pending]).toEqual([
      [
        [null, 1, 2],
        ['place-1', 3, 4],
        ['place-1', 4, 5],
      ],
      3,
      [...ids].sort(),
      0,
    ]);
  });

  test('I13 is waited for after a failure, until a sync ends well: two at once may be too much for the line', async () => {
    const { tasks, server, platform, edit } = filled([applies, losesAnnounced], announces());
    await tasks.sync();
    server.mostAtOnce = 0;
    await platform.advance(60_000);
    const afterFailure = [server.mostAtOnce, tasks.status.pending];
    for (const recordId of ['a', 'b', 'c']) edit(recordId);
    await tasks.sync();
    expect([afterFailure, server.mostAtOnce]).toEqual([[1, 0], 2]);
  });

  test('is ended together with what was sent behind it when the client is paused', async () => {
    const { tasks, server, platform, ids } = filled([
      (request, at, options) => {
        options?.onNextPage?.('place-1');
        return hangsApplied(request, at);
      },
      (request, at) => {
        tasks.pause();
        return hangsApplied(request, at);
      },
    ]);
    await tasks.sync();
    expect([server.requests.length, tasks.status.pending]).toEqual([2, 6]);
    tasks.resume();
    await platform.advance(60_000);
    expect([server.applied, tasks.status.pending]).toEqual([ids, 0]);
  });
});

/** Announces that all is applied, and answers that the first has to wait. */
const announcesFalsely: Step = async (request, server, options) => {
  const [first, ...others] = request.mutations;
  options?.onNextPage?.('place-1');
  const applied = server.apply({ ...request, mutations: others });
  await turns(30);
  const waits = { status: 'rejected', reason: 'Later.', code: 'BUSY', retryable: true } as const;
  return { results: [{ ...waits, mutationId: first?.id ?? '' }, ...applied] };
};

/** Applies everything, and never answers. */
const hangsApplied: Step = (request, server) => {
  server.apply(request);
  return new Promise(() => {});
};

test('tells a transport that can prepare the next batch while the one before is under way, and sends the same then', async () => {
  const { server } = device();
  const happened: string[] = [];
  const told = (what: string, { mutations }: Pick<SyncPushRequest, 'mutations'>) =>
    happened.push(`${what} ${mutations.map(({ sequence }) => sequence)}`);
  const { tasks, edit } = device({
    config: { batch_size: 2 },
    transport: {
      prepare: (mutations) => void told('prepares', { mutations }),
      async push(request, options) {
        told('sends', request);
        return server.push(request, options);
      },
    },
  });
  for (const recordId of ['a', 'b', 'c', 'd', 'e']) edit(recordId);
  await tasks.sync();
  expect(happened).toEqual(['sends 1,2', 'prepares 3,4', 'sends 3,4', 'prepares 5', 'sends 5']);
});

test.each([
  [
    'throws',
    () => {
      throw new Error('It cannot prepare.');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('It cannot prepare.'))],
])('I13 tells of a transport that cannot prepare and %s, and sends all the same', async (_, prepare) => {
  const { server } = device();
  const transport = { prepare, push: server.push.bind(server) };
  const { tasks, edit, heard } = device({ config: { batch_size: 2 }, transport });
  for (const recordId of ['a', 'b', 'c']) edit(recordId);
  await tasks.sync();
  expect([tasks.status.pending, server.hasHadTwice, heard]).toEqual([
    0,
    false,
    ['start', 'error: It cannot prepare.', 'complete'],
  ]);
});
