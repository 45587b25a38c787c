/** A clock that no date of four digits can tell. */
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { expect, it } from 'vitest';
import { TestPlatform } from '../../plugin-sync/src/platform/test-platform.js';
import { SyncServer } from './sync-server.js';

it('I10 takes what a device recorded in the year 12000 as made when it arrives, and later edits win', async () => {
  await using server = await SyncServer.start({ strategy: 'last-write-wins' });
  const start = (seed: number, now: number) =>
    new SyncPlugin({
      clientId: `device-${seed}`,
      transport: httpTransport({ url: server.url }),
      platform: new TestPlatform({ seed, now }),
    });
  await using ahead = start(1, Date.UTC(12_000, 0, 1));
  await using right = start(2, Date.now() + 60_000);
  const [theirs, mine] = [ahead, right].map((plugin) => plugin.getEngine('task').records);
  const created = theirs?.create('t1', { title: 'from the future' });
  await ahead.syncAll();
  await right.syncAll();
  await mine?.update('t1', { title: 'later' });
  await theirs?.update('t1', { title: 'much later, it says' });
  await ahead.syncAll();
  await right.syncAll();
  await ahead.syncAll();
  expect({
    created: await ahead.getEngine('task').settled(created?.id ?? ''),
    status: ahead.client.status,
    records: [(await theirs?.get('t1'))?.data, (await mine?.get('t1'))?.data],
  }).toMatchObject({
    created: { status: 'applied', version: 1 },
    status: { pending: 0, deadLetters: 0, conflicts: 0 },
    records: [{ title: 'later' }, { title: 'later' }],
  });
});
