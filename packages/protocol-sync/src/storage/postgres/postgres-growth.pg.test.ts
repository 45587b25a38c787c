import { expect, inject, onTestFinished, test } from 'vitest';
import { create } from '../../sync-handler.fixture.js';
import { SyncHandler } from '../../sync-handler.js';
import { look, task } from '../contract/store-samples.js';
import type { SyncStore } from '../sync-store.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { counting, openFilled, pagesRead, rowsRead, stepsOf } from './postgres-plans.fixture.js';

/** A thousand records, and a thousand times as many. */
const SIZES = [1000, 1_000_000] as const;
/** An index of a million entries is one or two pages deeper; a walk for one row meets each level once. */
const DEEPER_PAGES = 2;

test('reads the same rows and pages behind a thousand records and a million, for a pull and for a push of ten', async () => {
  const costs: Record<'pull' | 'pullOfObjects' | 'push', Cost>[] = [];
  for (const size of SIZES) {
    const measure = await filledWith(size);
    costs.push({
      pull: await measure((store) => store.page({ after: size - 10, limit: 500 })),
      pullOfObjects: await measure((store) => store.page({ after: size - 10, limit: 500, objects: ['task', 'note'] })),
      push: await measure((store) => look(store, ten(size))),
    });
  }
  const [few, many] = costs;
  if (!few || !many) throw new Error('Both sizes are measured.');
  expect([few.pull.rows, many.pull.rows]).toEqual([10, 10]);
  expect(many.pull.pages - few.pull.pages).toBeLessThanOrEqual(DEEPER_PAGES);
  // Every second record is a task, so that a walk along the feed is as good as one along the tasks.
  expect(many.pullOfObjects.rows).toBeLessThanOrEqual(10);
  expect(many.pullOfObjects.pages - few.pullOfObjects.pages).toBeLessThanOrEqual(2 * DEEPER_PAGES);
  // Ten records, found once to lock them and once to read them, and the log's row likewise.
  expect(many.push.rows).toBe(22);
  // A table of a thousand rows is read as a whole, so its pages are no measure: four levels and the row for each walk are.
  expect(many.push.pages).toBeLessThanOrEqual(45 * 5);
});

test('pushes a hundred mutations in as many round trips as one, and pulls in one', async () => {
  const opened = await fixture();
  const { pool, roundTrips } = counting(opened);
  await using handler = new SyncHandler({ store: await opened.openStore({ pool }) });
  const counts: number[] = [];
  for (const size of [1, 100]) {
    roundTrips();
    const { results } = await handler.handlePush({
      clientId: 'a',
      logId: `log-${size}`,
      protocol: 2,
      lastCheckpoint: null,
      pull: false,
      mutations: Array.from({ length: size }, (_, n) => create({ n }, { recordId: `${size}-${n}` })),
    });
    expect(results.every(({ status }) => status === 'applied')).toBe(true);
    counts.push(roundTrips());
  }
  await handler.handlePull({ clientId: 'a', protocol: 2, lastCheckpoint: null });
  // Of a push BEGIN with locks and read, then all writes with COMMIT; and one to find where the feed stands.
  expect({ counts, pull: roundTrips() }).toEqual({ counts: [3, 3], pull: 1 });
});

interface Cost {
  readonly rows: number;
  readonly pages: number;
}

async function fixture() {
  const opened = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(() => opened.remove());
  return opened;
}

/** A store with that many records, and a way to run something on it and have it explained. */
async function filledWith(size: number): Promise<(work: (store: SyncStore) => Promise<unknown>) => Promise<Cost>> {
  const filling = { records: size, ledger: size / 10, logs: 2000, intents: 0 };
  const { store, plans } = await openFilled(await fixture(), filling);
  return async (work) => {
    plans.length = 0;
    await work(store);
    return {
      rows: plans.reduce((sum, { top }) => sum + rowsRead(stepsOf(top)), 0),
      pages: plans.reduce((sum, { top }) => sum + pagesRead(top), 0),
    };
  };
}

/** What a push of one log's edits of ten records asks for. */
function ten(size: number) {
  const numbers = Array.from({ length: 10 }, (_, index) => Math.floor((index * size) / 10) + 2);
  return {
    records: numbers.map((number) => task(`filled-${number}`)),
    mutationIds: numbers.map((number) => `new-${number}`),
    log: { logId: 'log-1', sequences: numbers.map((number) => size + number) },
  };
}
