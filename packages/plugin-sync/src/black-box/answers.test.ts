import type { SyncConflict, SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { describe, expect, test } from 'vitest';
import { device } from '../../test/fixtures/device.js';
import { applies, appliesWith, change, losesAnswer, rejects, type Step } from '../../test/fixtures/scripted-server.js';

describe('an answer', () => {
  test('that is lost changes nothing: the same bytes are sent again and count once', async () => {
    const { edit, platform, server, tasks } = device({ script: [losesAnswer] });
    edit();
    await platform.advance(60_000);
    const [first, second] = server.requests.map(({ mutations }) => mutations);
    expect({ second, applied: server.applied.length, pending: tasks.status.pending }).toEqual({
      second: first,
      applied: 1,
      pending: 0,
    });
  });

  test('is told to listeners as what each of them may expect', async () => {
    const heard: string[] = [];
    const { edit, tasks } = device({
      script: [appliesWith({ serverChanges: [change('theirs')] })],
      listeners: [
        {
          onSyncStart() {
            heard.push('start');
          },
          onServerChanges(changes) {
            heard.push(`changes ${changes.length}`);
          },
          onSyncComplete({ checkpoint }) {
            heard.push(`complete ${checkpoint}`);
          },
        },
      ],
    });
    edit();
    await tasks.sync();
    expect(heard).toEqual(['start', 'changes 1', 'complete place-1']);
  });
});

describe('a listener that throws', () => {
  test('breaks neither recording, nor sync, nor other listeners', async () => {
    const { edit, tasks, server, heard } = device({
      listeners: [
        {
          onSyncStart() {
            throw new Error('start');
          },
          onSyncComplete() {
            throw new Error('complete');
          },
        },
      ],
    });
    const states: string[] = [];
    tasks.subscribeStatus(failing('status'));
    tasks.subscribeStatus(({ state }) => {
      states.push(state);
    });
    tasks.conflicts.subscribe(failing('conflicts'));
    tasks.deadLetters.subscribe(failing('dead letters'));
    tasks.records.subscribe(failing('records'));
    edit();
    const answer = await tasks.sync();
    expect({ isAnswered: answer !== null, applied: server.applied.length, pending: tasks.status.pending }).toEqual({
      isAnswered: true,
      applied: 1,
      pending: 0,
    });
    expect(states.at(-1)).toBe('idle');
    const failed = ['start', 'complete', 'status', 'conflicts', 'dead letters', 'records'];
    expect(heard).toEqual(expect.arrayContaining(failed.map((message) => `error: ${message}`)));
  });

  test('is an error like any other when it is asynchronous', async () => {
    const { edit, tasks, heard } = device({
      listeners: [
        {
          async onSyncStart() {
            throw new Error('start');
          },
        },
      ],
    });
    edit();
    await tasks.sync();
    expect(heard).toEqual(['start', 'error: start', 'complete']);
  });
});

describe('a rejected mutation', () => {
  test('blocks nothing behind it, and can be tried again, given up and taken along', async () => {
    const { edit, tasks, server } = device({ script: [rejects({ code: 'FORBIDDEN' }, 'not-mine')] });
    const refused = edit('not-mine');
    edit('mine');
    await tasks.sync();
    const dead = tasks.deadLetters.list().map(({ id, code }) => ({ id, code }));
    expect({ dead, applied: server.applied.length, exported: JSON.parse(tasks.deadLetters.export()).length }).toEqual({
      dead: [{ id: refused.id, code: 'FORBIDDEN' }],
      applied: 1,
      exported: 1,
    });

    const again = await tasks.deadLetters.retry(refused.id);
    await tasks.sync();
    // A refusal is final for the id it was made for.
    expect([again.id === refused.id, tasks.deadLetters.size, server.applied.length]).toEqual([false, 0, 2]);
  });

  test('is tried again once, however often it is asked for at once', async () => {
    const { edit, tasks, server } = device({ script: [rejects({ code: 'FORBIDDEN' }, 'not-mine')] });
    const { id } = edit('not-mine');
    await tasks.sync();
    await Promise.allSettled([tasks.deadLetters.retry(id), tasks.deadLetters.retry(id)]);
    await tasks.sync();
    expect([server.applied.length, tasks.status.pending]).toEqual([1, 0]);
  });

  test('is quarantined after ten tries while others settle, and stalls none of them', async () => {
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

    // The server may have applied it after all, so it keeps its id.
    expect((await tasks.deadLetters.retry(poison.id)).id).toBe(poison.id);
  });
});

describe('a conflict', () => {
  for (const [name, onConflict] of [
    ['synchronously', () => ({ title: 'Merged' })],
    ['asynchronously', async () => ({ title: 'Merged' })],
  ] as const) {
    test(`that is merged ${name} is written on top of what the server has`, async () => {
      const { edit, tasks, server } = device({ script: [conflicts()], config: { strategy: 'manual' }, onConflict });
      edit();
      await tasks.sync();
      const written = server.requests[1]?.mutations.map(({ operation, data, baseVersion }) => ({
        operation,
        data,
        baseVersion,
      }));
      expect([written, tasks.status.pending, tasks.status.conflicts]).toEqual([
        [{ operation: 'update', data: { title: 'Merged' }, baseVersion: 7 }],
        0,
        0,
      ]);
    });
  }

  for (const [name, onConflict] of [
    ['throws', () => fail('callback')],
    ['rejects', async () => fail('callback')],
    ['returns what is no JSON', () => ({ title: new Date(0) })],
    ['returns what is no record', () => 'text' as never],
    ['returns a list', () => [{ title: 'Merged' }] as never],
  ] as const) {
    test(`whose callback ${name} is parked, and the failure is told`, async () => {
      const { edit, tasks, heard } = device({ script: [conflicts()], config: { strategy: 'manual' }, onConflict });
      edit();
      await tasks.sync();
      const { conflicts: parked, pending } = tasks.status;
      const errors = heard.filter((line) => line.startsWith('error'));
      expect({ parked, pending, errors: errors.length }).toEqual({ parked: 1, pending: 0, errors: 1 });
    });
  }

  test('leaves out of its resolution what the user has overwritten since', async () => {
    const editsMeanwhile: Step = (request, server) => {
      tasks.recordMutation({ ...request.mutations[0], data: { title: 'Newer' } } as never);
      return conflicts()(request, server);
    };
    const { tasks, server } = device({
      script: [editsMeanwhile],
      config: { strategy: 'manual' },
      onConflict: () => ({ title: 'Merged', status: 'merged' }),
    });
    tasks.recordMutation({
      objectName: 'task',
      recordId: 't1',
      operation: 'update',
      data: { title: 'Mine' },
      baseVersion: 1,
    });
    await tasks.sync();
    const later = server.requests.slice(1).flatMap(({ mutations }) => mutations.map(({ data }) => data));
    expect(later).toEqual([{ title: 'Newer' }, { status: 'merged' }]);
  });

  test('is settled when what took its place is, whenever that is asked', async () => {
    const { edit, tasks, platform } = device({
      script: [conflicts(), applies],
      config: { strategy: 'manual' },
      onConflict: () => ({ title: 'Merged' }),
    });
    const { id } = edit();
    const early = tasks.settled(id);
    const asked: Promise<unknown>[] = [];
    tasks.subscribeStatus(() => {
      asked.push(tasks.settled(id).then(({ status }) => status));
    });
    await tasks.sync();
    await platform.advance(0);
    expect([(await early).status, ...new Set(await Promise.all(asked))]).toEqual(['applied', 'applied']);
  });
});

/** Finds that every mutation meets an older change of its fields, and knows no strategy. */
function conflicts(): Step {
  return (request) => ({ results: request.mutations.map((mutation) => conflictOf(mutation)) });
}

function conflictOf(clientMutation: SyncPushRequest['mutations'][number]): SyncMutationResult {
  const { id, objectName, recordId, timestamp, sequence } = clientMutation;
  const fields = Object.keys(clientMutation.data ?? {});
  const conflict: SyncConflict = {
    objectName,
    recordId,
    clientMutation,
    serverRecord: { title: 'Theirs', status: 'theirs' },
    conflictingFields: fields,
    kind: 'update-update',
    serverVersion: 7,
    clientStamp: { time: Date.parse(timestamp), logId: 'mine', sequence },
    serverStamps: Object.fromEntries(fields.map((field) => [field, { time: 0, logId: 'theirs', sequence: 1 }])),
  };
  return { mutationId: id, status: 'conflict', conflict };
}

function failing(message: string): () => void {
  return () => fail(message);
}

function fail(message: string): never {
  throw new Error(message);
}
