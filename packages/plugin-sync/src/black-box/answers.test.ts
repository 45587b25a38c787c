import type { SyncConflict, SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { describe, expect, test } from 'vitest';
import { change, device } from './device.js';
import { applies, appliesWith, losesAnswer, type Step } from './scripted-server.js';

describe('an answer', () => {
  test('that is lost changes nothing: the same bytes are sent again and count once', async () => {
    const { edit, platform, server, engine } = device({ script: [losesAnswer] });
    edit();
    await platform.advance(60_000);
    const [first, second] = server.requests.map(({ mutations }) => mutations);
    expect({ second, applied: server.applied.length, pending: engine.status.pending }).toEqual({
      second: first,
      applied: 1,
      pending: 0,
    });
  });

  test('is told to listeners as what each of them may expect', async () => {
    const heard: string[] = [];
    const { edit, engine } = device({
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
    await engine.sync();
    expect(heard).toEqual(['start', 'changes 1', 'complete place-1']);
  });
});

describe('a listener that throws', () => {
  test('breaks neither recording, nor sync, nor other listeners', async () => {
    const { edit, engine, server, errors } = device({
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
    engine.subscribeStatus(failing('status'));
    engine.subscribeStatus(({ state }) => {
      states.push(state);
    });
    engine.conflicts.subscribe(failing('conflicts'));
    engine.deadLetters.subscribe(failing('dead letters'));
    engine.records.of('task').subscribe(failing('records'));
    edit();
    const answer = await engine.sync();
    expect({ isAnswered: answer !== null, applied: server.applied.length, pending: engine.status.pending }).toEqual({
      isAnswered: true,
      applied: 1,
      pending: 0,
    });
    expect(states.at(-1)).toBe('idle');
    expect(errors).toEqual(
      expect.arrayContaining(['start', 'complete', 'status', 'conflicts', 'dead letters', 'records']),
    );
  });

  test('is an error like any other when it is asynchronous', async () => {
    const { edit, engine, errors } = device({
      listeners: [
        {
          async onSyncStart() {
            throw new Error('start');
          },
        },
      ],
    });
    edit();
    await engine.sync();
    expect(errors).toEqual(['start']);
  });
});

describe('a rejected mutation', () => {
  test('blocks nothing behind it, and can be tried again, given up and taken along', async () => {
    const { edit, engine, server } = device({ script: [rejects('FORBIDDEN', 'not-mine')] });
    const refused = edit('not-mine');
    edit('mine');
    await engine.sync();
    const dead = engine.deadLetters.list().map(({ id, code }) => ({ id, code }));
    expect({ dead, applied: server.applied.length, exported: JSON.parse(engine.deadLetters.export()).length }).toEqual({
      dead: [{ id: refused.id, code: 'FORBIDDEN' }],
      applied: 1,
      exported: 1,
    });

    const again = await engine.deadLetters.retry(refused.id);
    await engine.sync();
    // A refusal is final for the id it was made for.
    expect([again.id === refused.id, engine.deadLetters.size, server.applied.length]).toEqual([false, 0, 2]);
  });

  test('is tried again once, however often it is asked for at once', async () => {
    const { edit, engine, server } = device({ script: [rejects('FORBIDDEN', 'not-mine')] });
    const { id } = edit('not-mine');
    await engine.sync();
    await Promise.allSettled([engine.deadLetters.retry(id), engine.deadLetters.retry(id)]);
    await engine.sync();
    expect([server.applied.length, engine.status.pending]).toEqual([1, 0]);
  });

  test('is quarantined after ten tries while others settle, and stalls none of them', async () => {
    const { edit, engine, server, platform } = device({ otherwise: rejects('INTERNAL', 'poison') });
    const poison = edit('poison');
    let others = 0;
    while (engine.deadLetters.size === 0 && others < 100) {
      others += 1;
      edit(`task-${others}`);
      await platform.advance(60_000);
    }
    // Tries of its own in between are no proof against it: only those count while others pass.
    expect({
      others,
      dead: engine.deadLetters.list().map(({ id, code }) => ({ id, code })),
      applied: server.applied.length,
      pending: engine.status.pending,
    }).toEqual({ others: 10, dead: [{ id: poison.id, code: 'INTERNAL' }], applied: 10, pending: 0 });

    // The server may have applied it after all, so it keeps its id.
    expect((await engine.deadLetters.retry(poison.id)).id).toBe(poison.id);
  });
});

describe('a conflict', () => {
  for (const [name, onConflict] of [
    ['synchronously', () => ({ title: 'Merged' })],
    ['asynchronously', async () => ({ title: 'Merged' })],
  ] as const) {
    test(`that is merged ${name} is written on top of what the server has`, async () => {
      const { edit, engine, server } = device({ script: [conflicts()], config: { strategy: 'manual' }, onConflict });
      edit();
      await engine.sync();
      const written = server.requests[1]?.mutations.map(({ operation, data, baseVersion }) => ({
        operation,
        data,
        baseVersion,
      }));
      expect([written, engine.status.pending, engine.status.conflicts]).toEqual([
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
      const { edit, engine, errors } = device({ script: [conflicts()], config: { strategy: 'manual' }, onConflict });
      edit();
      await engine.sync();
      const { conflicts: parked, pending } = engine.status;
      expect({ parked, pending, errors: errors.length }).toEqual({ parked: 1, pending: 0, errors: 1 });
    });
  }

  test('leaves out of its resolution what the user has overwritten since', async () => {
    const editsMeanwhile: Step = (request, server) => {
      engine.recordMutation({ ...request.mutations[0], data: { title: 'Newer' } } as never);
      return conflicts()(request, server);
    };
    const { engine, server } = device({
      script: [editsMeanwhile],
      config: { strategy: 'manual' },
      onConflict: () => ({ title: 'Merged', status: 'merged' }),
    });
    engine.recordMutation({
      objectName: 'task',
      recordId: 'task-1',
      operation: 'update',
      data: { title: 'Mine' },
      baseVersion: 1,
    });
    await engine.sync();
    const later = server.requests.slice(1).flatMap(({ mutations }) => mutations.map(({ data }) => data));
    expect(later).toEqual([{ title: 'Newer' }, { status: 'merged' }]);
  });

  test('is settled when what took its place is, whenever that is asked', async () => {
    const { edit, engine, platform } = device({
      script: [conflicts(), applies],
      config: { strategy: 'manual' },
      onConflict: () => ({ title: 'Merged' }),
    });
    const { id } = edit();
    const early = engine.settled(id);
    const asked: Promise<unknown>[] = [];
    engine.subscribeStatus(() => {
      asked.push(engine.settled(id).then(({ status }) => status));
    });
    await engine.sync();
    await platform.advance(0);
    expect([(await early).status, ...new Set(await Promise.all(asked))]).toEqual(['applied', 'applied']);
  });
});

/** Rejects the mutations of one record and applies the others. */
function rejects(code: 'FORBIDDEN' | 'INTERNAL' | 'RATE_LIMITED', recordId: string, retryAfterMs?: number): Step {
  return (request, server) => ({
    results: request.mutations.flatMap((mutation): SyncMutationResult[] => {
      if (mutation.recordId !== recordId) return server.apply({ ...request, mutations: [mutation] });
      const rejected = { mutationId: mutation.id, status: 'rejected', code, reason: `${code} here` } as const;
      return [{ ...rejected, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }];
    }),
  });
}

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
