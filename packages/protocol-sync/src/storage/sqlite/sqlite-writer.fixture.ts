/**
 * A process of its own that writes to a sync store: `sqlite-writer.fixture.ts <path> <name> <count>` raises the version
 * of the record `shared`, and saves a ledger row with each, `count` times, printing the version after each commit.
 */
import { writeSync } from 'node:fs';
import Database from 'libsql';
import { sampleLog, sampleRow, sampleState, task } from '../contract/store-samples.js';
import { SqliteStore } from './sqlite-store.js';

const [path = '', name = '', count = ''] = process.argv.slice(2);
const database = new Database(path);
// For as long as it takes: nobody gives way to a writer whose disk is slow.
const store = new SqliteStore(database, { busyTimeoutMs: 600_000 });
await store.open();
for (let sequence = 1; sequence <= Number(count); sequence++) {
  const version = await store.transaction(async (transaction) => {
    const log = { logId: name, sequences: [] };
    const { records } = await transaction.load({ records: [task('shared')], mutationIds: [], log });
    const next = (records[0]?.version ?? 0) + 1;
    await transaction.save({
      records: [sampleState({ recordId: 'shared', version: next })],
      ledger: [sampleRow(`version-${next}`, { logId: name, sequence })],
      log: sampleLog({ logId: name }),
    });
    return next;
  });
  writeSync(1, `${version}\n`);
}
await store.close();
database.close();
