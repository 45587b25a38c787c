import { expect, test } from 'vitest';
import { HalfJitterPlatform } from '../platform/half-jitter-platform.fixture.js';
import { SyncPlugin } from '../sync-plugin.js';
import { LiveServer, opens } from './live-server.fixture.js';
import { liveUpdates } from './live-updates.js';

test('a page that is opened where nobody sees it has live updates until it is unseen for long', async () => {
  const platform = new HalfJitterPlatform();
  platform.hide();
  const sync = new SyncPlugin({ clientId: 'device-1', transport: new LiveServer(), platform, live: liveUpdates() });
  await platform.advance(0);
  expect(sync.client.status.live).toBe('open');
  await sync.close();
});

test('a client that is closed listens no more to how its device is connected', async () => {
  const platform = new HalfJitterPlatform();
  const listening = new Set<unknown>();
  const { onConnectivity } = platform;
  platform.onConnectivity = (listener) => {
    const stop = onConnectivity.call(platform, listener);
    listening.add(listener);
    return () => {
      listening.delete(listener);
      stop();
    };
  };
  const sync = new SyncPlugin({ clientId: 'device-1', transport: new LiveServer(), platform, live: liveUpdates() });
  await platform.advance(0);
  const before = listening.size;
  await sync.close();
  expect([before, listening.size, platform.pendingTimersMs]).toEqual([2, 0, []]);
});

test('a stream that was given up before the user signed in again does not pause sync when its refusal comes late', async () => {
  const platform = new HalfJitterPlatform();
  const transport = new LiveServer();
  let answer = (_: Response) => {};
  const late = new Promise<Response>((resolve) => {
    answer = resolve;
  });
  transport.streams = [() => late, opens];
  await using sync = new SyncPlugin({ clientId: 'device-1', transport, platform, live: liveUpdates() });
  await platform.advance(0);
  sync.client.pause();
  sync.client.resume();
  await platform.advance(0);
  answer(new Response('{}', { status: 401 }));
  await platform.advance(0);
  expect(sync.client.status).toMatchObject({ state: 'idle', live: 'open' });
});
