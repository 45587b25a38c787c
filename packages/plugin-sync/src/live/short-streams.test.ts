import { expect, test } from 'vitest';
import { HalfJitterPlatform } from '../platform/half-jitter-platform.fixture.js';
import { SyncPlugin } from '../sync-plugin.js';
import { LiveServer, opens } from './live-server.fixture.js';
import { liveUpdates } from './live-updates.js';

test('streams that are ended after their first word are opened ever less often, until one lasts', async () => {
  const platform = new HalfJitterPlatform();
  const server = new LiveServer();
  const streams = () => server.requests.filter((request) => request.startsWith('stream')).length;
  server.streams = [
    () => {
      const response = opens(server);
      server.end();
      return response;
    },
  ];
  const sync = new SyncPlugin({ clientId: 'device-1', transport: server, platform, live: liveUpdates() });
  await platform.advance(10 * 60_000);
  const short = streams();
  expect(short).toBeLessThan(30);
  server.streams = [opens];
  await platform.advance(30_000);
  server.beat();
  await platform.advance(15_000);
  const lasting = streams();
  server.end();
  await platform.advance(1000);
  expect([lasting, streams()]).toEqual([short + 1, short + 2]);
  await sync.close();
});
