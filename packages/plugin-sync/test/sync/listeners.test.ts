/** What listeners of the application hear, and what one of them that fails keeps back. */
import { expect, test } from 'vitest';
import { device } from '../fixtures/device.js';
import { appliesWith, change } from '../fixtures/scripted-server.js';

test('tells listeners of an answer what each of them may expect', async () => {
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

test('moves no checkpoint and stores nothing while the application cannot take the changes', async () => {
  const heard: string[] = [];
  let isBroken = true;
  const onServerChanges = async () => {
    heard.push('changes');
    if (isBroken) throw new Error('no space left');
  };
  const { tasks, platform, seen, server } = device({
    otherwise: appliesWith({ serverChanges: [change('t2')], checkpoint: 'c9' }),
    listeners: [{ onServerChanges }],
  });
  const { id } = tasks.records.create('t1', { title: 'one' });
  expect(await tasks.sync()).toBeNull();
  expect([tasks.getCheckpoint(), await seen(), tasks.status]).toEqual([
    null,
    { t1: 'one' },
    expect.objectContaining({ pending: 1, lastError: 'no space left', state: 'waiting' }),
  ]);

  isBroken = false;
  await platform.advance(60_000);
  expect([
    heard,
    await tasks.settled(id),
    tasks.getCheckpoint(),
    server.requests.map(({ mutations }) => mutations[0]?.id),
  ]).toEqual([['changes', 'changes'], { status: 'applied', version: 1, droppedFields: [] }, 'c9', [id, id]]);
});

test('other listeners’ errors stop nothing and are told', async () => {
  const onSyncStart = () => {
    throw new Error('start listener');
  };
  const onSyncComplete = async () => {
    throw new Error('complete listener');
  };
  const { tasks, heard } = device({ listeners: [{ onSyncStart, onSyncComplete }] });
  tasks.records.create('t1', { title: 'one' });
  const answer = await tasks.sync();
  await Promise.resolve();
  expect([answer?.results.length, tasks.status.pending, heard]).toEqual([
    1,
    0,
    ['error: start listener', 'start', 'complete', 'error: complete listener'],
  ]);
});

test('a status or record listener that throws stops nothing and is told', async () => {
  const { tasks, heard, platform } = device();
  tasks.subscribeStatus(({ pending }) => {
    if (pending > 0) throw new Error('status listener');
  });
  tasks.records.subscribe(async () => {
    throw new Error('record listener');
  });
  tasks.conflicts.subscribe(() => {
    throw new Error('conflict listener');
  });
  tasks.records.create('t1', { title: 'one' });
  await tasks.sync();
  await platform.advance(0);
  expect([tasks.status.pending, [...new Set(heard)].sort()]).toEqual([
    0,
    ['complete', 'error: conflict listener', 'error: record listener', 'error: status listener', 'start'],
  ]);
});

test('a listener that throws breaks neither recording, nor sync, nor other listeners', async () => {
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

test('an asynchronous listener that fails is an error like any other', async () => {
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

test('shows no code of an error that is neither a text nor a number', async () => {
  const error = Object.assign(new Error('Broken.'), { code: () => 'BROKEN' });
  const listener = {
    onServerChanges: () => {
      throw error;
    },
  };
  const { tasks } = device({ otherwise: appliesWith({ serverChanges: [change('s1')] }), listeners: [listener] });
  await tasks.sync();
  expect(tasks.status).toMatchObject({ lastError: 'Broken.', lastErrorCode: null });
});

function failing(message: string): () => void {
  return () => fail(message);
}

function fail(message: string): never {
  throw new Error(message);
}
