/**
 * A device to be killed. Each mutation writes one field of its own, `m1`, `m2`, …, so that the server's records show
 * which were applied, and their versions how often. Tells its parent what is appended, durable, answered and settled.
 */

import { setImmediate, setTimeout } from 'node:timers/promises';
import { httpTransport, SqliteStorage, SyncPlugin } from '@objectql/plugin-sync';
import { FileStorage } from '@objectql/plugin-sync/file';
import Database from 'libsql';

const [kind = 'sqlite', file = '', url = '', first = '1', task = 'work'] = process.argv.slice(2);
const http = httpTransport({ url });
const sync = new SyncPlugin({
  clientId: 'device',
  storage: kind === 'file' ? new FileStorage(file) : new SqliteStorage(new Database(file)),
  defaultConfig: { enabled: true, debounce_ms: 0, batch_size: 7 },
  transport: {
    async push(request, options) {
      process.send?.({ at: 'sent' });
      const answer = await http.push(request, options);
      process.send?.({ at: 'answered' });
      return answer;
    },
  },
  listeners: [
    {
      onServerChanges: () => void process.send?.({ at: 'applying' }),
      onSyncComplete: () => void process.send?.({ at: 'settled' }),
    },
  ],
});
const { records } = sync.getEngine('task');
/** 10 records: few enough that each is written again and again, enough that thousands of fields find room in them. */
const RECORDS = 10;

process.on('disconnect', () => process.exit(0));

if (task === 'work') await workUntilKilled();
else await finish();

async function workUntilKilled(): Promise<never> {
  for (let number = Number(first); ; number++) {
    const recordId = `r${number % RECORDS}`;
    const data = { [`m${number}`]: true };
    if (await records.get(recordId)) await records.update(recordId, data);
    else records.create(recordId, data);
    process.send?.({ at: 'appended', number });
    await sync.getEngine('task').flush();
    process.send?.({ at: 'durable', number });
    // SQLite answers without leaving the turn of the event loop; answers from the server need one of their own.
    await setImmediate();
  }
}

/** Syncs what is left, and tells what waits for a user: nothing should. */
async function finish(): Promise<void> {
  const engine = sync.getEngine('task');
  await engine.sync();
  // A record whose write a dead server left announced is answered a little later.
  while (engine.status.pending > 0) await setTimeout(50);
  const { pending, conflicts, deadLetters } = engine.status;
  const view = (await records.list()).map(({ recordId, data }) => ({ recordId, data }));
  process.send?.({ at: 'finished', pending, conflicts, deadLetters, view });
  await sync.close();
  process.disconnect?.();
}
