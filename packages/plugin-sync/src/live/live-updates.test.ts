import { STREAM_HEARTBEAT_MS } from '@objectql/sync-types';
import { describe, expect, test } from 'vitest';
import { HalfJitterPlatform } from '../platform/half-jitter-platform.fixture.js';
import { SyncEngine, type SyncEngineOptions } from '../sync-engine.js';
import type { SyncTransport } from '../transport/transport.js';
import { answers, LiveServer, opens, type StreamAnswer, silent, unreachable } from './live-server.fixture.js';
import { FIRST_WORD_MS, POLL_MS, POLLS_BEFORE_STREAM, SILENCE_MS } from './live-state.js';
import { liveUpdates, MAX_HIDDEN_MS } from './live-updates.js';

/** A device with live updates, started: the server has been asked once, and its stream. */
async function live(streams: StreamAnswer[] = [opens], options: Partial<SyncEngineOptions> = {}) {
  const platform = new HalfJitterPlatform();
  const server = new LiveServer();
  server.streams = streams;
  const engine = new SyncEngine({
    clientId: 'device-1',
    transport: server,
    platform,
    config: { enabled: true },
    live: liveUpdates(),
    ...options,
  });
  const told: string[] = [];
  engine.subscribeStatus(({ live }) => {
    if (live !== told.at(-1)) told.push(live);
  });
  await platform.advance(0);
  /** What was asked since the last look, in no order: a stream and a question begin at the same moment. */
  let seen = 0;
  const asked = () => {
    const news = server.requests.slice(seen).toSorted();
    seen = server.requests.length;
    return news;
  };
  return { platform, server, engine, told, asked, status: () => engine.status.live };
}

describe('a client with live updates', () => {
  test('asks once by itself, and opens a stream from where it stands', async () => {
    const { asked, told, engine, platform } = await live();
    expect([asked(), told]).toEqual([
      ['push', 'stream place-1'],
      ['connecting', 'open'],
    ]);
    engine.records.of('task').subscribe(() => {});
    await platform.advance(0);
    expect(asked()).toEqual([]);
  });

  test('asks as soon as a poke tells of something new', async () => {
    const { platform, server, asked } = await live();
    asked();
    server.place = 2;
    server.poke();
    await platform.advance(0);
    expect(asked()).toEqual(['push']);
  });

  test('asks for nothing when a poke tells of what it has', async () => {
    const { platform, server, asked } = await live();
    asked();
    server.poke();
    server.beat();
    await platform.advance(0);
    expect(asked()).toEqual([]);
  });

  test('asks once more for any number of pokes that come while it syncs, and not when the sync brought it all', async () => {
    for (const [newPlace, expected] of [
      [7, ['push', 'push']],
      [2, ['push']],
    ] as const) {
      const { platform, server, asked } = await live();
      asked();
      let answer = () => {};
      server.answering = new Promise((resolve) => {
        answer = resolve;
      });
      server.place = 2;
      server.poke();
      await platform.advance(0);
      for (let place = 2; place <= newPlace; place++) {
        server.place = place;
        server.poke();
      }
      await platform.advance(0);
      answer();
      await platform.advance(0);
      expect(asked()).toEqual(expected);
    }
  });

  test('does not hear its own pushes as news', async () => {
    const { platform, server, engine, asked } = await live();
    asked();
    engine.records.of('task').create('task-1', { title: 'Mine' });
    server.place = 2;
    let answer = () => {};
    server.answering = new Promise((resolve) => {
      answer = resolve;
    });
    await platform.advance(2000);
    server.poke();
    answer();
    await platform.advance(2000);
    expect([asked(), engine.status.pending]).toEqual([['push'], 0]);
  });

  test('takes a poke it does not understand for news', async () => {
    const { platform, server, asked } = await live();
    asked();
    server.poke('{}');
    await platform.advance(0);
    server.poke('no JSON');
    await platform.advance(0);
    server.write('event: later\ndata: {}\n\n');
    await platform.advance(0);
    expect(asked()).toEqual(['push', 'push']);
  });

  test('leaves a server alone that asked for it, whatever is poked', async () => {
    const { platform, server, engine, asked } = await live();
    server.failure = Object.assign(new Error('Busy.'), { status: 503, retryAfterMs: 20_000 });
    await engine.sync();
    asked();
    server.place = 2;
    server.poke();
    server.beat();
    await platform.advance(19_999);
    const early = asked();
    server.failure = undefined;
    await platform.advance(1);
    expect([early, asked()]).toEqual([[], ['push']]);
  });
});

describe('a stream', () => {
  test('that ends is opened anew after a pause, each time a longer one', async () => {
    const { platform, server, asked, status } = await live([opens, unreachable, unreachable, opens]);
    asked();
    server.end();
    await platform.advance(499);
    const early = [asked(), status()];
    await platform.advance(1 + 1000 + 1999);
    const before = asked();
    await platform.advance(1);
    expect([early, before, asked(), status()]).toEqual([
      [[], 'connecting'],
      ['stream place-1', 'stream place-1'],
      ['push', 'stream place-1'],
      'open',
    ]);
  });

  test('that is silent is taken for dead, and one that gives signs of life is not', async () => {
    const { platform, server, asked } = await live();
    asked();
    for (let beats = 0; beats < 20; beats++) {
      await platform.advance(STREAM_HEARTBEAT_MS);
      server.beat();
    }
    await platform.advance(SILENCE_MS - 1);
    const alive = asked();
    await platform.advance(1);
    expect([alive, asked()]).toEqual([[], ['stream place-1']]);
  });

  test('that is held back on its way is given up for questions, tried again soon, and then now and then', async () => {
    const { platform, server, asked, status } = await live([silent, silent, opens]);
    asked();
    await platform.advance(FIRST_WORD_MS);
    const given = [asked(), status(), server.isRead];
    await platform.advance(2 * POLL_MS);
    const soon = asked();
    await platform.advance(FIRST_WORD_MS);
    await platform.advance((POLLS_BEFORE_STREAM + 1) * POLL_MS);
    expect([given, soon, asked(), status()]).toEqual([
      [['push'], 'polling', false],
      ['push', 'push', 'stream place-1'],
      [...Array.from({ length: POLLS_BEFORE_STREAM + 2 }, () => 'push'), 'stream place-1'],
      'open',
    ]);
  });

  for (const [what, answer] of [
    ['is not there', answers(404)],
    ['is a page for people', answers(200, { 'content-type': 'text/html' })],
    ['finds no room', answers(429, { 'retry-after': '60' })],
  ] as const) {
    test(`that ${what} is replaced by questions`, async () => {
      const { platform, asked, status } = await live([answer]);
      const first = asked();
      await platform.advance(2 * POLL_MS);
      expect([first, asked(), status()]).toEqual([['push', 'push', 'stream place-1'], ['push', 'push'], 'polling']);
    });
  }

  test('that finds no room is tried again when the server said so', async () => {
    const { platform, asked, status } = await live([answers(429, { 'retry-after': '60' }), opens]);
    asked();
    await platform.advance(3 * POLL_MS);
    expect([asked(), status()]).toEqual([['push', 'push', 'push', 'stream place-1'], 'open']);
  });

  test('of a transport that has none is replaced by questions', async () => {
    const server = new LiveServer();
    const transport = { push: server.push.bind(server) };
    const { platform, status } = await live([], { transport });
    await platform.advance(3 * POLL_MS);
    expect([server.requests, status()]).toEqual([['push', 'push', 'push', 'push', 'push'], 'polling']);
  });

  test('that fails again and again does not keep changes back', async () => {
    const { platform, asked, status } = await live([unreachable]);
    asked();
    await platform.advance(120_000);
    const requests = asked();
    expect([requests.filter((request) => request === 'push').length >= 3, status()]).toEqual([true, 'polling']);
  });

  test('is opened when a server that was busy at first takes its time', async () => {
    const { platform, asked, status } = await live([answers(503, { 'retry-after': '5' }), opens]);
    asked();
    await platform.advance(4999);
    const early = asked();
    await platform.advance(1);
    expect([early, asked(), status()]).toEqual([[], ['stream place-1'], 'open']);
  });

  test('that is refused for want of a sign-in pauses sync until there is one', async () => {
    const { platform, engine, asked, status } = await live([answers(401), opens]);
    asked();
    const refused = [engine.status.state, status()];
    await platform.advance(600_000);
    const waiting = asked();
    engine.resume();
    await platform.advance(0);
    expect([refused, waiting, asked(), status()]).toEqual([
      ['needs-auth', 'off'],
      [],
      ['push', 'stream place-1'],
      'open',
    ]);
  });
});

describe('no stream is held', () => {
  for (const [how, rest, goOn] of [
    [
      'while the device has no network',
      ({ platform }) => platform.setOnline(false),
      ({ platform }) => platform.setOnline(true),
    ],
    ['while the client is paused', ({ engine }) => engine.pause(), ({ engine }) => engine.resume()],
  ] satisfies [string, (device: Live) => void, (device: Live) => void][]) {
    test(`${how}, and one again after it`, async () => {
      const device = await live();
      const { platform, server, asked, status } = device;
      asked();
      rest(device);
      await platform.advance(600_000);
      const resting = [asked(), status(), server.isRead];
      goOn(device);
      await platform.advance(0);
      expect([resting, asked(), status()]).toEqual([[[], 'off', false], ['push', 'stream place-1'], 'open']);
    });
  }

  test('by a client that is closed, and nothing else either', async () => {
    const { platform, server, engine, asked, status } = await live();
    asked();
    await engine.close();
    platform.wake();
    await platform.advance(600_000);
    expect([asked(), status(), server.isRead, platform.pendingTimersMs]).toEqual([[], 'off', false, []]);
  });

  test('by a client that is closed, also where the transport does not know the signal', async () => {
    const server = new LiveServer();
    const transport: SyncTransport = {
      push: (request) => server.push(request),
      stream: (checkpoint) => server.stream(checkpoint, new AbortController()),
    };
    const { engine, platform, status } = await live([], { transport });
    const before = [server.isRead, status()];
    await engine.close();
    await platform.advance(0);
    expect([before, server.isRead]).toEqual([[true, 'open'], false]);
  });

  test('in a page that nobody has seen for five minutes, and one as soon as somebody does', async () => {
    const { platform, server, asked, status } = await live();
    asked();
    platform.hide();
    const passTime = async (ms: number) => {
      for (let passed = 0; passed < ms; passed += STREAM_HEARTBEAT_MS) {
        await platform.advance(STREAM_HEARTBEAT_MS);
        if (server.isRead) server.beat();
      }
    };
    await passTime(MAX_HIDDEN_MS - STREAM_HEARTBEAT_MS);
    const before = [asked(), status()];
    await passTime(2 * STREAM_HEARTBEAT_MS);
    const after = [asked(), status(), server.isRead];
    await passTime(3_600_000);
    const rested = asked();
    platform.wake();
    await platform.advance(0);
    expect([before, after, rested, asked(), status()]).toEqual([
      [[], 'open'],
      [[], 'off', false],
      [],
      ['push', 'stream place-1'],
      'open',
    ]);
  });

  test('but by one that is to go on unseen', async () => {
    const { platform, server, status } = await live([opens], { live: liveUpdates({ whileHidden: true }) });
    platform.hide();
    for (let passed = 0; passed < 2 * MAX_HIDDEN_MS; passed += STREAM_HEARTBEAT_MS) {
      await platform.advance(STREAM_HEARTBEAT_MS);
      server.beat();
    }
    expect(status()).toBe('open');
  });

  test('nor is anything asked in a hidden page where there is none', async () => {
    const { platform, asked, status } = await live([answers(404)]);
    asked();
    platform.hide();
    await platform.advance(MAX_HIDDEN_MS + POLL_MS);
    asked();
    await platform.advance(3_600_000);
    expect([asked(), status()]).toEqual([[], 'off']);
  });

  test('by a client that asks for no changes', async () => {
    const { platform, asked, status } = await live([opens], { config: { enabled: true, direction: 'push-only' } });
    await platform.advance(600_000);
    expect([asked(), status()]).toEqual([[], 'off']);
  });

  test('by a client that is closed while one is being opened', async () => {
    let answer = (_: Response) => {};
    const opening = new Promise<Response>((resolve) => {
      answer = resolve;
    });
    const { engine, server, platform, status } = await live([() => opening]);
    await engine.close();
    answer(await opens(server));
    await platform.advance(600_000);
    expect([server.isRead, status(), platform.pendingTimersMs]).toEqual([false, 'off', []]);
  });
});

type Live = Awaited<ReturnType<typeof live>>;

describe('a device that wakes', () => {
  test('after a week asks at once, and gives up the stream of before', async () => {
    const { platform, server, asked, status } = await live();
    asked();
    server.place = 900;
    platform.sleep(7 * 24 * 60 * 60 * 1000);
    platform.wake();
    await platform.advance(0);
    expect([asked(), status()]).toEqual([['push', 'stream place-1'], 'open']);
  });

  test('without anybody looking at it notices by its clock', async () => {
    const { platform, server, asked, status } = await live();
    asked();
    server.place = 900;
    platform.sleep(7 * 24 * 60 * 60 * 1000);
    await platform.advance(0);
    expect([asked(), status()]).toEqual([['push', 'stream place-1'], 'open']);
  });

  test('looks for a stream again where there was none', async () => {
    const { platform, asked, status } = await live([answers(404), opens]);
    asked();
    platform.wake();
    await platform.advance(0);
    expect([asked(), status()]).toEqual([['push', 'stream place-1'], 'open']);
  });
});

test('a client without live updates holds no stream and says so', async () => {
  const { platform, engine, asked, status } = await live([opens], { live: undefined });
  await engine.sync();
  await platform.advance(600_000);
  expect([asked(), status()]).toEqual([['push'], 'off']);
});
