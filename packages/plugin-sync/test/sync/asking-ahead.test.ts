/** The next request is on its way while an answer is being stored, or read: never on top of what may change. */
import type { SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';
import { device } from './device.js';
import { answer, appliedAll, change, type Script, scriptedServer } from './scripted-server.js';

/** A device of a server that answers so, and what happens in turn: asked from where and for how many, answered, stored. */
function watched(script: Script, platform?: TestPlatform) {
  const happened: string[] = [];
  const storage = new FaultStorage(new LastingStorage());
  storage.before('commit', async ({ meta, expectCheckpoint }) => {
    if (expectCheckpoint === undefined) return;
    // Lets the request that was made meanwhile come to the server.
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    happened.push(`stored ${meta?.checkpoint}`);
  });
  const server = scriptedServer(async (request, call, options) => {
    happened.push(`asked ${request.lastCheckpoint} ${request.mutations.map(({ recordId }) => recordId)}`.trim());
    const answered = await script(request, call, options);
    happened.push('answered');
    return answered;
  });
  return {
    ...device({ transport: server.transport, storage, ...(platform && { platform }) }),
    happened,
    storage,
    server,
  };
}

const page = (request: SyncPushRequest, last: number) => {
  const number = Number(request.lastCheckpoint ?? 0) + 1;
  return appliedAll(request, {
    serverChanges: [change(`s${number}`, 1)],
    checkpoint: `${number}`,
    hasMore: number < last,
  });
};

test('asks for the next page while the one before is being stored, and for none behind the last', async () => {
  const { tasks, happened, seen } = watched((request) => page(request, 3));
  await tasks.sync();
  expect(happened).toEqual([
    'asked null',
    'answered',
    'asked 1',
    'answered',
    'stored 1',
    'asked 2',
    'answered',
    'stored 2',
    'stored 3',
  ]);
  expect(Object.keys(await seen())).toEqual(['s1', 's2', 's3']);
});

test('sends the next mutations while the outcome of those before is being stored, each once and in order', async () => {
  const config = { enabled: true, batch_size: 2 };
  const server = scriptedServer((request, call) => appliedAll(request, { checkpoint: `${call}` }));
  const { tasks } = device({ transport: server.transport, defaultConfig: config });
  for (const id of ['a', 'b', 'a', 'c', 'b']) {
    const operation = 'update';
    tasks.recordMutation({ objectName: 'task', recordId: id, operation, data: { title: id }, baseVersion: 1 });
  }
  await tasks.sync();
  expect(
    server.requests.map(({ mutations, lastCheckpoint }) => [lastCheckpoint, mutations.map((m) => m.sequence)]),
  ).toEqual([
    [null, [1, 2]],
    ['1', [3, 4]],
    ['2', [5]],
  ]);
  expect(tasks.status.pending).toBe(0);
});

/** Answers pages, each of which takes a while to be read once it has told where the next one begins. */
const announcing =
  (last: number, announced = (number: number) => `${number}`): Script =>
  async (request, _, options) => {
    const answered = page(request, last);
    if (answered.hasMore) options?.onNextPage?.(announced(Number(answered.checkpoint)));
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    return answered;
  };

test('asks for the next page while the one before is being read, and for the one behind that only when it is', async () => {
  const { tasks, happened, seen } = watched(announcing(4));
  await tasks.sync();
  expect(happened.slice(0, 5)).toEqual(['asked null', 'asked 1', 'answered', 'answered', 'stored 1']);
  expect(happened.filter((line) => line.startsWith('asked'))).toEqual(['asked null', 'asked 1', 'asked 2', 'asked 3']);
  expect(Object.keys(await seen())).toEqual(['s1', 's2', 's3', 's4']);
});

test('I6 stores nothing of a page that was announced wrongly', async () => {
  const { tasks, happened, seen } = watched(announcing(3, (number) => `${number + 1}`));
  await tasks.sync();
  const stored = happened.filter((line) => line.startsWith('stored'));
  expect([stored, Object.keys(await seen())]).toEqual([
    ['stored 1', 'stored 2', 'stored 3'],
    ['s1', 's2', 's3'],
  ]);
});

test('sends what there is to send while a page is being read', async () => {
  const { tasks, happened } = watched(async (request, call, options) => {
    if (call === 1) {
      tasks.records.create('mine', { title: 'mine' });
      await tasks.flush();
    }
    return announcing(3)(request, call, options);
  });
  await tasks.sync();
  expect(happened.slice(0, 4)).toEqual(['asked null', 'asked 1 mine', 'answered', 'answered']);
});

test('I6 begins again at what is stored when a page fails while the next one is being read', async () => {
  let failures = 1;
  const { tasks, happened, platform, seen } = watched(async (request, call, options) => {
    const answered = await announcing(4)(request, call, options);
    if (request.lastCheckpoint === '1' && failures-- > 0) throw new Error('The connection broke.');
    return answered;
  });
  await tasks.sync();
  const failed = [tasks.getCheckpoint(), happened.filter((line) => line.startsWith('asked'))];
  await platform.advance(60_000);
  expect([failed, Object.keys(await seen())]).toEqual([
    ['1', ['asked null', 'asked 1', 'asked 2']],
    ['s1', 's2', 's3', 's4'],
  ]);
});

test('I6 asks anew for whoever joins before a last page that announces another', async () => {
  let joined: Promise<unknown> | undefined;
  const { tasks, happened, seen } = watched((request, call, options) => {
    if (call === 1) {
      joined = tasks.sync();
      options?.onNextPage?.('9');
    }
    return page(request, 1);
  });
  await tasks.sync();
  await joined;
  const asked = happened.filter((line) => line.startsWith('asked'));
  expect([asked, Object.keys(await seen())]).toEqual([
    ['asked null', 'asked 9', 'asked 1'],
    ['s1', 's2'],
  ]);
});

/** A line that 20 seconds bring an answer over; several under way share it. */
function slowLine(platform: TestPlatform): (signal: AbortSignal | undefined) => Promise<void> {
  let sharing = 0;
  return (signal) => {
    let leftMs = 20_000;
    sharing += 1;
    return new Promise((resolve) => {
      const go = () => {
        leftMs -= 1000 / sharing;
        if (leftMs > 0 && !signal?.aborted) return platform.setTimer(go, 1000);
        sharing -= 1;
        resolve();
      };
      platform.setTimer(go, 1000);
    });
  };
}

test('I13 gets through a line on which two pages at once take longer than a request may', async () => {
  const platform = new TestPlatform();
  const line = slowLine(platform);
  const { tasks, seen } = watched(async (request, _, options) => {
    const answered = page(request, 4);
    if (answered.hasMore) options?.onNextPage?.(answered.checkpoint);
    await line(options?.signal);
    return answered;
  }, platform);
  void tasks.sync();
  await platform.advance(600_000);
  expect([Object.keys(await seen()), tasks.status.state]).toEqual([['s1', 's2', 's3', 's4'], 'idle']);
});

test('I3 asks for nothing ahead of an outcome that may hold a record back', async () => {
  const rejected = (id: string): SyncMutationResult => {
    return { status: 'rejected', mutationId: id, reason: 'Later.', code: 'BUSY', retryable: true };
  };
  const { tasks, happened, server } = watched((request, call) =>
    call === 1
      ? answer(
          request.mutations.map(({ id }) => rejected(id)),
          { checkpoint: '1' },
        )
      : appliedAll(request, { checkpoint: `${call}` }),
  );
  for (let n = 0; n < 50; n++) tasks.records.create('held', { title: `${n}` });
  tasks.records.create('held', { title: 'last' });
  tasks.records.create('free', { title: 'x' });
  await tasks.sync();
  expect(happened.filter((line) => !line.startsWith('stored null')).slice(1, 4)).toEqual([
    'answered',
    'stored 1',
    'asked 1 free',
  ]);
  expect(server.requests.length).toBe(2);
});

test('I6 forgets what it asked ahead when the answer before it cannot be stored, and asks no second time meanwhile', async () => {
  const { tasks, happened, storage, platform, seen } = watched((request) => page(request, 3));
  storage.before('commit', ({ meta }) => {
    if (meta?.checkpoint !== '2') return;
    storage.heal();
    throw new Error('full');
  });
  await tasks.sync();
  const checkpoint = tasks.getCheckpoint();
  await platform.advance(60_000);
  expect([checkpoint, happened.filter((line) => line.startsWith('asked'))]).toEqual([
    '1',
    ['asked null', 'asked 1', 'asked 2', 'asked 1', 'asked 2'],
  ]);
  expect(Object.keys(await seen())).toEqual(['s1', 's2', 's3']);
});

test('sends what is recorded during a long first sync before the pages behind it', async () => {
  const { tasks, happened, server } = watched((request, call) => {
    if (call === 2) tasks.records.create('mine', { title: 'mine' });
    return page(request, 6);
  });
  await tasks.sync();
  const sent = server.requests.findIndex(({ mutations }) => mutations.length > 0);
  expect([sent > 0 && sent < 5, happened.filter((line) => line.startsWith('stored')).at(-1)]).toEqual([
    true,
    'stored 6',
  ]);
});
