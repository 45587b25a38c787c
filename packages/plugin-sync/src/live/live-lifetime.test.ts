import { expect, test } from 'vitest';
import { HalfJitterPlatform } from '../platform/half-jitter-platform.fixture.js';
import { SyncPlugin } from '../sync-plugin.js';
import { LiveServer } from './live-server.fixture.js';
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
