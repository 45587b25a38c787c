/** I13: a line on which the largest record that a server takes is under way for longer than a request may be silent. */
import { randomBytes } from 'node:crypto';
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { TestPlatform } from '@objectql/plugin-sync/testing';
import { expect, test } from 'vitest';
import { SlowLine } from './slow-line.js';
import { SyncServer } from './sync-server.js';

/** 5 KB, of a modem or a satellite: it carries 150 KB in the 30 s that a request may be silent. */
const BYTES_PER_SECOND = 5000;
/** 250,000 characters, close to the 256 KiB of a record. */
const PHOTO = randomBytes(187_500).toString('base64');

test('I13 brings such a record and what is behind it, and no byte twice', async () => {
  await using server = await SyncServer.start();
  await using office = new SyncPlugin({ clientId: 'office', transport: httpTransport({ url: server.url }) });
  const platform = new TestPlatform();
  const line = new SlowLine(platform, BYTES_PER_SECOND);
  const transport = httpTransport({ url: server.url, fetch: line.fetch, platform });
  await using ship = new SyncPlugin({ clientId: 'ship', transport, platform });
  office.getEngine('note').records.create('photo', { photo: PHOTO });
  await office.syncAll();
  office.getEngine('note').records.create('behind', { title: 'Call the port' });
  await office.syncAll();
  // An explicit sync does not wait for the pause after a failure. Ten are enough to ask for one change at last.
  for (let tries = 0; tries < 12 && ship.client.log.meta.checkpoint === null; tries++) await ship.syncAll();
  const notes = await ship.getEngine('note').records.list();
  expect([notes.map(({ recordId }) => recordId).sort(), ship.client.status]).toEqual([
    ['behind', 'photo'],
    expect.objectContaining({ state: 'idle', lastError: null }),
  ]);
  expect(line.carried).toBeLessThan(PHOTO.length * 1.1);
});
