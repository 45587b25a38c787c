import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ReasonlessAbortController } from '../transport/reasonless-abort.fixture.js';
import { change, device } from './device.js';
import { applies, appliesWith, hangs, isGone, refuses, type Step } from './scripted-server.js';

describe('a recorded mutation', () => {
  test('is sent when the debounce is over, and not before', async () => {
    const { edit, platform, server } = device({ config: { debounce_ms: 2000 } });
    edit();
    await platform.advance(1999);
    const before = server.requests.length;
    await platform.advance(1);
    expect([before, server.requests.length]).toEqual([0, 1]);
  });

  test('is sent after ten seconds at the latest, however steadily the user types', async () => {
    const { edit, platform, server } = device({ config: { debounce_ms: 2000 } });
    for (let second = 0; second < 10; second++) {
      edit();
      await platform.advance(1000);
    }
    expect(server.requests.length).toBe(1);
  });

  test('I13: is sent where signals keep no reason, as in React Native', async () => {
    vi.stubGlobal('AbortController', ReasonlessAbortController);
    onTestFinished(() => void vi.unstubAllGlobals());
    const { edit, platform, server, engine, errors } = device({ script: [hangs] });
    edit();
    await platform.advance(60_000);
    const { pending } = engine.status;
    expect([server.requests.length, pending, errors]).toEqual([2, 0, ['The server did not answer within 30000 ms.']]);
  });

  test('I13: is sent by itself when it was recorded while a request was under way', async () => {
    const { edit, platform, server, engine } = device({ otherwise: slowly(5000) });
    edit('task-1');
    await platform.advance(3000);
    edit('task-2');
    await platform.advance(60_000);
    expect({ applied: server.applied.length, pending: engine.status.pending }).toEqual({ applied: 2, pending: 0 });
  });

  test('I13: is sent by itself when it was recorded by a listener at the end of a sync', async () => {
    let left = 3;
    const { edit, platform, server, engine } = device({
      listeners: [
        {
          onSyncComplete() {
            if (left-- > 0) edit(`task-${left}`);
          },
        },
      ],
    });
    edit('task-9');
    await platform.advance(60_000);
    expect({ applied: server.applied.length, pending: engine.status.pending }).toEqual({ applied: 4, pending: 0 });
  });

  test('I13: is sent by itself when it was recorded in any turn of a sync', async () => {
    for (let turns = 0; turns < 40; turns++) {
      const { edit, platform, engine } = device({ config: { debounce_ms: 0 } });
      edit('task-1');
      const synced = engine.sync();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      edit('task-2');
      await synced;
      await platform.advance(60_000);
      expect({ turns, pending: engine.status.pending }).toEqual({ turns, pending: 0 });
    }
  });

  test('I13: is sent after a restart as soon as the storage is opened', async () => {
    const first = device({ otherwise: isGone });
    first.edit();
    await first.engine.flush();
    const { storage } = first;
    const second = device({ storage });
    await second.engine.records.of('task').list();
    await second.platform.advance(60_000);
    expect(second.sent().flat()).toEqual(['task-1']);
  });

  test('waits for an explicit sync when its scheduled one was cancelled', async () => {
    const { edit, platform, server, engine } = device();
    edit();
    engine.cancelScheduledSync();
    await platform.advance(600_000);
    const cancelled = server.requests.length;
    await engine.sync();
    expect([cancelled, server.requests.length]).toEqual([0, 1]);
  });

  test('is debounced anew when the sync before it was cancelled, however long ago', async () => {
    const { edit, platform, server, engine } = device({ config: { debounce_ms: 2000 } });
    edit();
    engine.cancelScheduledSync();
    await platform.advance(600_000);
    edit();
    await platform.advance(1999);
    const before = server.requests.length;
    await platform.advance(1);
    expect([before, server.requests.length]).toEqual([0, 1]);
  });
});

describe('after a failure', () => {
  test('the pauses double up to a minute, and never end', async () => {
    const triedAt: number[] = [];
    const { edit, platform } = device({
      otherwise: (request, server) => {
        triedAt.push((platform.now() - start) / 1000);
        return isGone(request, server);
      },
    });
    const start = platform.now();
    edit();
    await platform.advance(160_000);
    // A second of debounce, then each time half of 1, 2, 4, 8, 16, 32, 60, 60 … seconds.
    expect(triedAt).toEqual([1, 1.5, 2.5, 4.5, 8.5, 16.5, 32.5, 62.5, 92.5, 122.5, 152.5]);
  });

  test('the server is left alone for as long as it asked', async () => {
    const { edit, platform, server } = device({ script: [refuses(429, 'RATE_LIMITED', 90_000)] });
    edit();
    await platform.advance(1000 + 89_999);
    const before = server.requests.length;
    await platform.advance(1);
    expect([before, server.requests.length]).toEqual([1, 2]);
  });

  test('a later mutation does not bring the next try forward', async () => {
    const { edit, platform, server } = device({ script: [refuses(503, 'BUSY', 90_000)] });
    edit();
    await platform.advance(1000);
    edit('task-2');
    await platform.advance(80_000);
    expect(server.requests.length).toBe(1);
  });

  test('a transport that ignores the signal is given up after 30 s', async () => {
    const { edit, platform, server, engine } = device({ script: [hangs] });
    edit();
    await platform.advance(1000 + 29_999);
    const waiting = engine.status.state;
    await platform.advance(1 + 500);
    expect({ waiting, requests: server.requests.length, pending: engine.status.pending }).toEqual({
      waiting: 'syncing',
      requests: 2,
      pending: 0,
    });
  });

  test('a device without network waits for it, and tries at once when it is back', async () => {
    const { edit, platform, engine, sent } = device({ script: [isGone] });
    edit();
    await platform.advance(900);
    platform.setOnline(false);
    await engine.sync();
    await platform.advance(600_000);
    const offline = { state: engine.status.state, sent: sent() };
    platform.setOnline(true);
    await platform.advance(0);
    expect([offline, sent(), engine.status.state]).toEqual([
      { state: 'offline', sent: [['task-1']] },
      [['task-1'], ['task-1']],
      'idle',
    ]);
  });
});

describe('one request at a time', () => {
  test('holds when the client is paused and resumed while a request is under way', async () => {
    const { edit, platform, server, engine } = device({ otherwise: slowly(5000) });
    edit('task-1');
    await platform.advance(2000);
    engine.pause();
    engine.resume();
    engine.pause();
    engine.resume();
    edit('task-2');
    await platform.advance(120_000);
    const { state, pending } = engine.status;
    expect({ state, pending, applied: server.applied.length, mostAtOnce: server.mostAtOnce }).toEqual({
      state: 'idle',
      pending: 0,
      applied: 2,
      mostAtOnce: 1,
    });
  });

  test('holds when sync is asked for again and again', async () => {
    const { edit, platform, server, engine } = device({ otherwise: slowly(1000) });
    edit();
    const answers = [engine.sync(), engine.sync(), engine.sync()];
    await platform.advance(60_000);
    const checkpoints = (await Promise.all(answers)).map((answer) => answer?.checkpoint);
    expect({ mostAtOnce: server.mostAtOnce, distinct: new Set(checkpoints).size }).toEqual({
      mostAtOnce: 1,
      distinct: 1,
    });
  });

  test('pausing sends nothing, resuming sends all', async () => {
    const { edit, platform, server, engine } = device();
    engine.pause();
    edit();
    const answer = await engine.sync();
    await platform.advance(600_000);
    const paused = { answer, requests: server.requests.length, state: engine.status.state };
    engine.resume();
    await platform.advance(0);
    expect([paused, engine.status.pending]).toEqual([{ answer: null, requests: 0, state: 'paused' }, 0]);
  });

  test('a sync asked for while paused answers null, also after an earlier success', async () => {
    const { edit, engine } = device();
    edit();
    await engine.sync();
    engine.pause();
    expect(await engine.sync()).toBe(null);
  });
});

describe('a server that makes no sense', () => {
  test('is not asked in a loop when it always has more and never moves on', async () => {
    const { server, engine, platform } = device({
      otherwise: guarded(appliesWith({ hasMore: true, checkpoint: 'stuck' })),
    });
    void engine.sync();
    await platform.advance(0);
    expect(server.requests.length).toBeLessThan(20);
  });

  test('is not asked in a loop when it always starts a new epoch', async () => {
    const { server, edit, engine, platform } = device({ otherwise: guarded(() => ({ reset: 'epoch' })) });
    edit();
    void engine.sync();
    await platform.advance(0);
    expect({ isFew: server.requests.length < 20, pending: engine.status.pending }).toEqual({ isFew: true, pending: 1 });
  });

  test('is not asked in a loop when it always calls the log forked', async () => {
    const { server, edit, engine, platform } = device({ otherwise: guarded(refuses(409, 'LOG_FORKED')) });
    edit();
    void engine.sync();
    await platform.advance(0);
    expect({ isFew: server.requests.length < 20, pending: engine.status.pending }).toEqual({ isFew: true, pending: 1 });
  });

  test('is not asked in a loop when it finds a pull too large', async () => {
    const { server, engine, platform } = device({ otherwise: guarded(refuses(413, 'TOO_LARGE')) });
    void engine.sync();
    await platform.advance(0);
    expect(server.requests.length).toBeLessThan(20);
  });
});

test('a long first sync tells how far it is, and is idle without progress when it ends', async () => {
  const pages = [1, 2, 3].map((page) =>
    appliesWith({ serverChanges: [change(`task-${page}`)], checkpoint: `page-${page}`, hasMore: page < 3 }),
  );
  const { engine } = device({ script: pages });
  const seen: unknown[] = [];
  engine.subscribeStatus(({ state, progress }) => {
    const now = { state, received: progress?.received ?? null };
    if (JSON.stringify(now) !== JSON.stringify(seen.at(-1))) seen.push(now);
  });
  await engine.sync();
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
