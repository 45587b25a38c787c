import { expect, test } from 'vitest';
import { liveUpdates } from '../../src/live/live-updates.js';
import type { SyncTransport } from '../../src/transport/transport.js';
import { openTabs } from './tabs.js';

test('holds one stream for all tabs, in the leading one, and in the next when that is gone', async () => {
  const world = await openTabs(0, { live: liveUpdates() });
  const open: string[] = [];
  for (const name of ['first', 'second']) {
    const tab = world.open();
    // The connection of these tests has no stream.
    const transport: SyncTransport = tab.connection.transport;
    transport.stream = async (checkpoint, { signal }) => {
      open.push(name);
      signal.addEventListener('abort', () => open.splice(open.indexOf(name), 1));
      const body = `event: poke\ndata: ${JSON.stringify({ checkpoint })}\n\n`;
      return new Response(neverEnding(body), { headers: { 'content-type': 'text/event-stream' } });
    };
    await world.advance(1000);
  }
  const [first, second] = world.tabs;
  const live = () => world.tabs.filter(({ runs }) => runs).map(({ plugin }) => plugin.client.status.live);
  const together = [[...open], live()];
  await first?.plugin.close();
  await world.advance(5000);
  expect([together, open, second?.plugin.client.status.live]).toEqual([
    [['first'], ['open', 'open']],
    ['second'],
    'open',
  ]);
});

/** A stream that says this, and then nothing more. */
function neverEnding(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
  });
}
