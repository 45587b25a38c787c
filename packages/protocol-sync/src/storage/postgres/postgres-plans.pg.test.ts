import { expect, inject, onTestFinished, test } from 'vitest';
import { look, sampleIntent, sampleLog, sampleRow, sampleState, save, task } from '../contract/store-samples.js';
import type { SyncStore } from '../sync-store.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { counting, openFilled, planOf, rowsRead, stepsOf } from './postgres-plans.fixture.js';

const RECORDS_ALONE = { records: 20_000, ledger: 0, logs: 0, intents: 0 };
const NOTHING = { records: 0, ledger: 0, logs: 0, intents: 0 };
const OF_EACH = { records: 20_000, ledger: 20_000, logs: 2000, intents: 2000 };

test('needs as many round trips for a hundred mutations as for one', async () => {
  const opened = await fixture();
  const { pool, roundTrips } = counting(opened);
  const store = await opened.openStore({ pool });
  const counts: number[] = [];
  for (const size of [1, 100]) {
    roundTrips();
    const ids = Array.from({ length: size }, (_, index) => `${size}-${index}`);
    await save(store, {
      records: ids.map((recordId) => sampleState({ recordId })),
      ledger: ids.map((id, sequence) => sampleRow(id, { logId: `log-${size}`, sequence })),
      log: sampleLog({ logId: `log-${size}` }),
      intents: ids.map((recordId) => sampleIntent({ recordId })),
      settledIntents: ids.map(task),
    });
    counts.push(roundTrips());
  }
  // BEGIN, locks and read; settled and new intents, as after a resolver outside the transaction; the rest; COMMIT.
  expect(counts).toEqual([5, 5]);
});

test('finds everything by an index', async () => {
  const { store, plans } = await openFilled(await fixture(), OF_EACH);
  await useEverything(store);
  const scanned = plans
    // But for what is asked of a whole table.
    .filter(({ text }) => text.includes('$1'))
    .flatMap(({ top }) => stepsOf(top))
    // PostgreSQL 13 shows both ways of a step that it chooses as it runs.
    .filter((step) => step['Node Type'] === 'Seq Scan' && step['Actual Loops'] !== 0)
    .map((step) => String(step['Relation Name']));
  expect(scanned.filter((table) => table !== 'objectql_sync_feed')).toEqual([]);
});

test('changes fifty records by their index while nothing is known of the feed', async () => {
  const { store, plans } = await openFilled(await fixture(), RECORDS_ALONE);
  const numbers = Array.from({ length: 50 }, (_, index) => 2 * index + 2);
  const records = numbers.map((number) => sampleState({ recordId: `filled-${number}`, version: 2 }));
  await save(store, { records });
  const reads = stepsOf(planOf(plans, 'changed_log')).filter(
    (step) => step['Relation Name'] === 'objectql_sync_records' && /Scan/.test(step['Node Type']),
  );
  // The index that tells that a record is there finds it, too.
  expect(reads.map((step) => step['Node Type'])).toEqual([]);
});

test('reads of a log what it is asked for alone, while nothing is known of the ledger', async () => {
  const { store, plans } = await openFilled(await fixture(), NOTHING);
  const sequences = Array.from({ length: 5000 }, (_, index) => index + 1);
  const ledger = sequences.map((sequence) => sampleRow(`row-${sequence}`, { logId: 'log-1', sequence }));
  await save(store, { ledger, log: sampleLog({ logId: 'log-1' }) });
  plans.length = 0;
  const asked = { records: [], mutationIds: [], log: { logId: 'log-1', sequences: sequences.slice(-50) } };
  const found = await look(store, asked);
  const read = rowsRead(stepsOf(planOf(plans, 'json_agg')));
  // The rows and their log. PostgreSQL up to 16 read all of the log where they were asked for as an array.
  expect([found.ledger.length, read]).toEqual([50, 51]);
});

test('finds by an index what it is asked for in tables that have grown since it planned how', async () => {
  const { store, plans } = await openFilled(await fixture(), { records: 5, ledger: 5, logs: 2, intents: 2 });
  const push = async (from: number, to: number) => {
    const ids = Array.from({ length: to - from }, (_, index) => `grown-${from + index}`);
    await save(store, {
      records: ids.map((recordId) => sampleState({ recordId })),
      ledger: ids.map((id, index) => sampleRow(id, { logId: 'log-1', sequence: from + index })),
      log: sampleLog({ logId: 'log-1' }),
    });
  };
  await push(10, 5000);
  plans.length = 0;
  await push(5000, 5010);
  // Each of the ten is looked for twice and not there; the log's row is locked, read and changed.
  expect(plans.reduce((sum, { top }) => sum + rowsRead(stepsOf(top)), 0)).toBe(3);
});

test('reads a page of objects as one lazy merge of index walks', async () => {
  const { store, plans } = await openFilled(await fixture(), OF_EACH);
  await store.page({ after: 10, limit: 5, objects: ['task', 'project'] });
  const steps = stepsOf(planOf(plans, 'feed_floor'));
  expect(steps.map((step) => step['Node Type'])).toContain('Merge Append');
  // Two walks of five at most, each past as many rows of the other object.
  expect(rowsRead(steps)).toBeLessThanOrEqual(20);
});

test('expects no more than a page of a page, while nothing is known of the feed', async () => {
  const { store, plans } = await openFilled(await fixture(), RECORDS_ALONE);
  const many = Array.from({ length: 101 }, (_, index) => `object-${index}`);
  for (const objects of [undefined, ['task'], ['task', 'project'], many]) {
    await store.page({ after: 10, limit: 1001, ...(objects && { objects }) });
  }
  const expected = plans.map(({ top }) => top['Plan Rows']);
  expect(expected).toEqual([1001, 1001, 1001, expect.any(Number)]);
  expect(Math.max(...expected.map(Number))).toBeLessThanOrEqual(1001);
});

test.each([1, 2, 100, 101])('pages through %i objects', async (count) => {
  const { store } = await fixture();
  const names = Array.from({ length: 101 }, (_, index) => `object-${index}`);
  await save(store, { records: names.map((objectName) => sampleState({ objectName })) });
  const { records } = await store.page({ after: 0, limit: 200, objects: names.slice(-count) });
  expect(records.map(({ objectName }) => objectName)).toEqual(names.slice(-count));
});

async function fixture() {
  const opened = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(() => opened.remove());
  return opened;
}

/** Runs every statement a store has. */
async function useEverything(store: SyncStore): Promise<void> {
  await save(store, {
    records: [sampleState(), sampleState({ recordId: 'filled-2', version: 2 })],
    ledger: [sampleRow('mutation-1', { at: 1, logId: 'log-new' })],
    log: sampleLog({ logId: 'log-new' }),
    intents: [sampleIntent()],
    settledIntents: [task('task-2')],
  });
  await save(store, { log: sampleLog({ logId: 'log-1' }) });
  await look(store, {
    records: [task('task-1')],
    mutationIds: ['mutation-1'],
    log: { logId: 'log-1', sequences: [1] },
  });
  await store.page({ after: 0, limit: 10 });
  await store.page({ after: 0, limit: 10, objects: ['task', 'project', 'note'] });
  await store.page({ after: 0, limit: 10, objects: Array.from({ length: 101 }, (_, index) => `object-${index}`) });
  await store.prune({ before: 10, limit: 10 });
  await store.changeEpoch();
}
