import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { device } from '../../test/fixtures/device.js';
import {
  applies,
  appliesWith,
  change,
  hangs,
  isGone,
  refuses,
  type Step,
} from '../../test/fixtures/scripted-server.js';
import { turns } from '../../test/fixtures/turns.js';
import { ReasonlessAbortController } from '../transport/reasonless-abort.fixture.js';

describe('a recorded mutation', () => {
  test('I13: is sent where signals keep no reason, as in React Native', async () => {
    vi.stubGlobal('AbortController', ReasonlessAbortController);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { edit, platform, server, tasks, heard } = device({ script: [hangs] });
    edit();
    await platform.advance(60_000);
    const { pending } = tasks.status;
    expect([server.requests.length, pending, heard]).toEqual([
      2,
      0,
      ['start', 'error: The server did not answer within 30000 ms.', 'start', 'complete'],
    ]);
  });

  test('I13: is sent by itself when it was recorded by a listener at the end of a sync', async () => {
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

  test('I13: is sent by itself when it was recorded in any turn of a sync', async () => {
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

  test('I13: is sent after a restart as soon as the storage is opened', async () => {
    const first = device({ otherwise: isGone });
    first.edit();
    await first.tasks.flush();
    const { storage } = first;
    const second = device({ storage });
    await second.tasks.records.list();
    await second.platform.advance(60_000);
    expect(second.sent().flat()).toEqual(['t1']);
  });

  test('I13: is part of the first sync after a restart, behind however many others', async () => {
    const config = { direction: 'push-only', batch_size: 2 } as const;
    const first = device({ otherwise: isGone, config });
    const recordIds = ['a', 'b', 'c', 'd', 'e'];
    for (const recordId of recordIds) first.edit(recordId);
    await first.tasks.flush();
    const second = device({ storage: first.storage, config });
    await second.tasks.sync();
    expect(second.sent().flat()).toEqual(recordIds);
  });

  test('waits for an explicit sync when its scheduled one was cancelled', async () => {
    const { edit, platform, server, tasks } = device();
    edit();
    tasks.cancelScheduledSync();
    await platform.advance(600_000);
    const cancelled = server.requests.length;
    await tasks.sync();
    expect([cancelled, server.requests.length]).toEqual([0, 1]);
  });

  test('is debounced anew when the sync before it was cancelled, however long ago', async () => {
    const { edit, platform, server, tasks } = device({ config: { debounce_ms: 2000 } });
    edit();
    tasks.cancelScheduledSync();
    await platform.advance(600_000);
    edit();
    await platform.advance(1999);
    const before = server.requests.length;
    await platform.advance(1);
    expect([before, server.requests.length]).toEqual([0, 1]);
  });
});

describe('after a failure', () => {
  test('a later mutation does not bring the next try forward', async () => {
    const { edit, platform, server } = device({ script: [refuses(503, 'BUSY', 90_000)] });
    edit();
    await platform.advance(1000);
    edit('t2');
    await platform.advance(80_000);
    expect(server.requests.length).toBe(1);
  });
});

describe('one request at a time', () => {
  test('holds when sync is asked for again and again', async () => {
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

  test('a sync asked for while paused answers null, also after an earlier success', async () => {
    const { edit, tasks } = device();
    edit();
    await tasks.sync();
    tasks.pause();
    expect(await tasks.sync()).toBe(null);
  });
});

describe('a server that makes no sense', () => {
  test('is not asked in a loop when it always calls the log forked', async () => {
    const { server, edit, tasks, platform } = device({ otherwise: guarded(refuses(409, 'LOG_FORKED')) });
    edit();
    void tasks.sync();
    await platform.advance(0);
    expect({ isFew: server.requests.length < 20, pending: tasks.status.pending }).toEqual({ isFew: true, pending: 1 });
  });

  test('is not asked in a loop when it finds a pull too large', async () => {
    const { server, tasks, platform } = device({ otherwise: guarded(refuses(413, 'TOO_LARGE')) });
    void tasks.sync();
    await platform.advance(0);
    expect(server.requests.length).toBeLessThan(20);
  });
});

test('a long first sync tells how far it is, and is idle without progress when it ends', async () => {
  const pages = [1, 2, 3].map((page) =>
    appliesWith({ serverChanges: [change(`t${page}`)], checkpoint: `page-${page}`, hasMore: page < 3 }),
  );
  const { tasks } = device({ script: pages });
  const seen: unknown[] = [];
  tasks.subscribeStatus(({ state, progress }) => {
    const now = { state, received: progress?.received ?? null };
    if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
  });
  await tasks.sync();
  expect(seen).toEqual([
    { state: 'idle', received: null },
    { state: 'syncing', received: null },
    { state: 'syncing', received: 1 },
    { state: 'syncing', received: 2 },
    { state: 'syncing', received: 3 },
    { state: 'idle', received: null },
  ]);
});

/** Applies everything, and takes this long to answer. */
function slowly(ms: number): Step {
  return async (request, server) => {
    const answer = await applies(request, server);
    await server.wait(ms);
    return answer;
  };
}

/** Breaks off a loop that would otherwise keep the test from ever ending. */
function guarded(step: Step): Step {
  return (request, server) => {
    if (server.requests.length >= 100) return new Promise(() => {});
    return step(request, server);
  };
}
