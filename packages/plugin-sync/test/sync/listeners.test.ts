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

test('tells the errors of listeners in their order among what others hear', async () => {
  const fails = async (message: string) => fail(message);
  const { tasks, edit, heard } = device({
    listeners: [
      { onSyncStart: () => fail('start listener') },
      { onSyncStart: () => fails('late start listener'), onSyncComplete: () => fails('complete listener') },
    ],
  });
  edit();
  await tasks.sync();
  await Promise.resolve();
  expect(heard).toEqual([
    'error: start listener',
    'start',
    'error: late start listener',
    'complete',
    'error: complete listener',
  ]);
});

test.each([
  ['throws', fail],
  ['rejects', async (message: string) => fail(message)],
])('a listener that %s breaks neither recording, nor sync, nor other listeners', async (_, fails) => {
  const { edit, tasks, server, heard, platform } = device({
    listeners: [{ onSyncStart: () => fails('start'), onSyncComplete: () => fails('complete') }],
  });
  const states: string[] = [];
  tasks.subscribeStatus(() => fails('status'));
  tasks.subscribeStatus(({ state }) => void states.push(state));
  tasks.conflicts.subscribe(() => fails('conflicts'));
  tasks.deadLetters.subscribe(() => fails('dead letters'));
  tasks.records.subscribe(() => fails('records'));
  edit();
  const answer = await tasks.sync();
  await platform.advance(0);
  expect([answer?.results.length, server.applied.length, tasks.status.pending, states.at(-1)]).toEqual([
    1,
    1,
    0,
    'idle',
  ]);
  const errors = ['start', 'complete', 'status', 'conflicts', 'dead letters', 'records'];
  expect(new Set(heard)).toEqual(new Set(['start', 'complete', ...errors.map((message) => `error: ${message}`)]));
});

test('shows no code of an error that is neither a text nor a number', async () => {
  const error = Object.assign(new Error('Broken.'), { code: () => 'BROKEN' });
  const { tasks } = device({
    otherwise: appliesWith({ serverChanges: [change('s1')] }),
    listeners: [{ onServerChanges: () => Promise.reject(error) }],
  });
  await tasks.sync();
  expect(tasks.status).toMatchObject({ lastError: 'Broken.', lastErrorCode: null });
});

function fail(message: string): never {
  throw new Error(message);
}
