import { expect, test } from 'vitest';
import { HalfJitterPlatform } from '../platform/half-jitter-platform.fixture.js';
import { SyncPlugin } from '../sync-plugin.js';
import { LiveServer } from './live-server.fixture.js';
import { SILENCE_MS } from './live-state.js';
import { liveUpdates } from './live-updates.js';

test('the next stream goes through the transport that has replaced the one before', async () => {
  const platform = new HalfJitterPlatform();
  const [before, after] = [new LiveServer(), new LiveServer()];
  const sync = new SyncPlugin({ clientId: 'device-1', transport: before, platform, live: liveUpdates() });
  await platform.advance(0);
  sync.client.transport = after;
  await platform.advance(SILENCE_MS);
  expect([before.requests.length, after.requests, sync.client.status.live]).toEqual([2, ['stream place-1'], 'open']);
  await sync.close();
});
