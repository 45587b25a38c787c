/** I13: what is pending is under way or has a timer: when a sync starts by itself, and what belongs to it. */
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import type { SyncTransport } from '../../src/transport/transport.js';
import { device } from '../fixtures/device.js';
import { realServer } from '../fixtures/real-server.js';
import { applies, appliesWith, change, conflicts, isGone, type Step } from '../fixtures/scripted-server.js';
import { turns } from '../fixtures/turns.js';

test('sends after the debounce of the object, and gathers what comes meanwhile', async () => {
  const { tasks, platform, server } = device();
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(60);
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(99);
  expect(server.requests.length).toBe(0);
  await platform.advance(1);
  expect(server.requests.map(({ mutations }) => mutations.length)).toEqual([2]);
});

test('asks for what the server has when records are watched for the first time, and once', async () => {
  const { tasks, platform, seen, server } = device({ otherwise: appliesWith({ serverChanges: [change('t1')] }) });
  for (const watch of [() => tasks.records.subscribe(() => {}), () => tasks.records.subscribe('t1', () => {})]) {
    const stop = watch();
    await platform.advance(0);
    stop();
  }
  expect([await seen(), server.requests.length]).toEqual([{ t1: 't1' }, 1]);
});

test('sends a steady stream of edits after ten seconds at the latest', async () => {
  const { tasks, platform, server } = device();
  for (let index = 0; index < 210; index++) {
    tasks.records.create(`t${index}`, { title: 'x' });
    await platform.advance(50);
  }
  expect(server.requests[0]?.mutations.length).toBe(50);
});

test('sends what was recorded while a request was under way, without another call', async () => {
  let release = () => {};
  const waits: Step = (request, server) =>
    new Promise((resolve) => {
      release = () => resolve({ results: server.apply(request) });
    });
  const { tasks, platform, server } = device({ script: [waits] });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  // Recorded at the very moment the answer arrives: not durable yet when the sync ends.
  release();
  tasks.records.create('t2', { title: 'two' });
  await platform.advance(1000);
  expect([server.requests.length, tasks.status.pending]).toEqual([2, 0]);
});

test('I13 sends by itself what a listener records at the end of a sync', async () => {
  let left = 3;
  const { edit, platform, server, tasks } = device({
    listeners: [
      {
        onSyncComplete() {
          if (left-- > 0) edit(`t${left}`);
        },
      },
    ],
  });
  edit('t9');
  await platform.advance(60_000);
  expect({ applied: server.applied.length, pending: tasks.status.pending }).toEqual({ applied: 4, pending: 0 });
});

test('I13 sends by itself what is recorded in any turn of a sync', async () => {
  for (let count = 0; count < 40; count++) {
    const { edit, platform, tasks } = device({ config: { debounce_ms: 0 } });
    edit('t1');
    const synced = tasks.sync();
    await turns(count);
    edit('t2');
    await synced;
    await platform.advance(60_000);
    expect({ count, pending: tasks.status.pending }).toEqual({ count, pending: 0 });
  }
});

test('I13 sends what an earlier process recorded as soon as the storage is opened', async () => {
  const first = device({ otherwise: isGone });
  first.edit();
  await first.tasks.flush();
  const { storage } = first;
  const second = device({ storage });
  await second.tasks.records.list();
  await second.platform.advance(60_000);
  expect(second.sent().flat()).toEqual(['t1']);
});

test('I13 sends in the first sync after a restart what is pending, behind however many others', async () => {
  const config = { direction: 'push-only', batch_size: 2 } as const;
  const first = device({ otherwise: isGone, config });
  const recordIds = ['a', 'b', 'c', 'd', 'e'];
  for (const recordId of recordIds) first.edit(recordId);
  await first.tasks.flush();
  const second = device({ storage: first.storage, config });
  await second.tasks.sync();
  expect(second.sent().flat()).toEqual(recordIds);
});

test('a sync that is joined at its very end still includes what was recorded before', async () => {
  for (let hops = 0; hops < 12; hops++) {
    const { tasks, server } = device();
    tasks.records.create('t1', { title: 'one' });
    const join = async () => {
      await turns(hops);
      tasks.records.create('t2', { title: 'two' });
      await tasks.sync();
      return tasks.status.pending;
    };
    let joined: Promise<number> | undefined;
    tasks.subscribeStatus(({ pending }) => {
      if (server.requests.length > 0 && pending === 0) joined ??= join();
    });
    await tasks.sync();
    expect([hops, await joined]).toEqual([hops, 0]);
  }
});

test('asked to sync while it waits for an answer, it learns also what was changed since that was written', async () => {
  const server = realServer(new TestPlatform());
  const { transport } = server.connect();
  const isAnswered = gate();
  const mayArrive = gate();
  const slow: SyncTransport = {
    async push(request) {
      const answer = await transport.push(request);
      isAnswered.open();
      await mayArrive.opened;
      return answer;
    },
  };
  const { tasks, seen } = device({ transport: slow });
  const first = tasks.sync();
  await isAnswered.opened;
  await server.handler.recordChange({
    objectName: 'task',
    recordId: 't1',
    operation: 'create',
    data: { title: 'new' },
  });
  const second = tasks.sync();
  mayArrive.open();
  await Promise.all([first, second]);
  expect(await seen()).toEqual({ t1: 'new' });
});

test('makes one request at a time when sync is asked for again and again', async () => {
  const { edit, platform, server, tasks } = device({ otherwise: slowly(1000) });
  edit();
  const answers = [tasks.sync(), tasks.sync(), tasks.sync()];
  await platform.advance(60_000);
  const checkpoints = (await Promise.all(answers)).map((answer) => answer?.checkpoint);
  expect({ mostAtOnce: server.mostAtOnce, distinct: new Set(checkpoints).size }).toEqual({
    mostAtOnce: 1,
    distinct: 1,
  });
});

test('waits for an explicit sync when the scheduled one was cancelled', async () => {
  const { edit, platform, server, tasks } = device();
  edit();
  tasks.cancelScheduledSync();
  await platform.advance(600_000);
  const cancelled = server.requests.length;
  await tasks.sync();
  expect([cancelled, server.requests.length]).toEqual([0, 1]);
});

test('debounces anew when the sync before was cancelled, however long ago', async () => {
  const { edit, platform, sent, tasks } = device({ config: { debounce_ms: 2000 } });
  edit('t1');
  tasks.cancelScheduledSync();
  await platform.advance(600_000);
  edit('t2');
  await platform.advance(1999);
  const before = sent();
  await platform.advance(1);
  expect([before, sent()]).toEqual([[], [['t1', 't2']]]);
});

test('sends nothing while it is paused, and never two requests at once after it', async () => {
  const answers: (() => void)[] = [];
  const { tasks, platform, server } = device({
    otherwise: async (request, server) => {
      await new Promise<void>((resolve) => answers.push(resolve));
      return applies(request, server);
    },
  });
  tasks.records.create('t1', { title: 'one' });
  await platform.advance(100);
  tasks.pause();
  expect([await tasks.sync(), tasks.status.state]).toEqual([null, 'paused']);
  await platform.advance(100_000);
  expect(server.requests.length).toBe(1);

  answers.shift()?.();
  await platform.advance(0);
  tasks.resume();
  tasks.pause();
  tasks.resume();
  await platform.advance(0);
  answers.shift()?.();
  await platform.advance(0);
  expect([server.mostAtOnce, server.requests.length, tasks.status]).toEqual([
    1,
    2,
    expect.objectContaining({ state: 'idle', pending: 0 }),
  ]);
});

test('takes in what it has received before it goes on after a pause', async () => {
  let merge = () => {};
  const onConflict = () =>
    new Promise<undefined>((resolve) => {
      merge = () => resolve(undefined);
    });
  const parks = conflicts({ strategy: 'manual', serverVersion: 3 });
  const { tasks, platform, server } = device({ script: [parks], onConflict });
  tasks.records.create('t1', { title: 'one' });
  const synced = tasks.sync();
  await platform.advance(0);
  tasks.pause();
  tasks.resume();
  await platform.advance(0);
  const whileDeciding = server.requests.length;
  merge();
  await synced;
  await platform.advance(0);
  expect([whileDeciding, server.requests.map(({ mutations }) => mutations.length), tasks.conflicts.size]).toEqual([
    1,
    [1, 0],
    1,
  ]);
});

test('a sync asked for while paused answers null, also after an earlier success', async () => {
  const { edit, tasks } = device();
  edit();
  await tasks.sync();
  tasks.pause();
  expect(await tasks.sync()).toBe(null);
});

/** Applies everything, and takes this long to answer. */
function slowly(ms: number): Step {
  return async (request, server) => {
    const answer = await applies(request, server);
    await server.wait(ms);
    return answer;
  };
}

/** What others wait for until it is opened. */
function gate() {
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}
