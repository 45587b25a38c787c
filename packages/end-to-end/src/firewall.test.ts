/** I13: a firewall before the server refuses a request because of what a record says. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { expect, onTestFinished, test } from 'vitest';
import { SyncServer } from './sync-server.js';

test('I13 keeps no other change from going out or coming in', async () => {
  await using server = await SyncServer.start();
  const url = await startFirewall(server.url, /<script>/);
  await using sync = new SyncPlugin({ clientId: 'phone', transport: httpTransport({ url }) });
  await using other = new SyncPlugin({ clientId: 'tablet', transport: httpTransport({ url: server.url }) });
  const notes = sync.getEngine('note');
  notes.records.create('refused', { title: 'How to write <script>' });
  notes.records.create('fine', { title: 'Paint the door' });
  other.getEngine('note').records.create('theirs', { title: 'Buy paint' });
  await other.syncAll();
  // An explicit sync does not wait for the pause after a failure.
  for (let tries = 0; tries < 10 && sync.client.status.pending > 1; tries++) await notes.sync();
  const onServer = await server.pull({});
  expect([
    sync.client.status,
    onServer.serverChanges.map(({ recordId }) => recordId),
    (await notes.records.get('theirs'))?.data,
  ]).toEqual([
    expect.objectContaining({
      pending: 1,
      deadLetters: 0,
      lastError: 'The server refused the request (403).',
    }),
    ['theirs', 'fine'],
    { title: 'Buy paint' },
  ]);
});

/** Passes requests on to a sync server, but answers those whose body it forbids itself. */
async function startFirewall(target: string, forbidden: RegExp) {
  const { origin } = new URL(target);
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    if (forbidden.test(body)) {
      outgoing.writeHead(403, { 'content-type': 'text/html' }).end('<h1>Forbidden</h1>');
      return;
    }
    const answer = await fetch(`${origin}${incoming.url}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    outgoing.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sync`;
}
