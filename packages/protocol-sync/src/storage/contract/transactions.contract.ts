/** What a transaction promises: all or nothing, exactly what was asked for, and nothing lost between two. */
import type { StoreTransaction, SyncStore } from '../sync-store.js';
import {
  feedOf,
  loadRequestOf,
  look,
  sampleIntent,
  sampleLog,
  sampleRow,
  sampleState,
  save,
  task,
  told,
} from './store-samples.js';
import type { StoreTests } from './store-tests.contract.js';

/** Declares these tests for one implementation; part of `storeContract`. */
export function transactionContract({ storeTest, expect }: StoreTests): void {
  storeTest('commits everything that was saved', async ({ store }) => {
    const request = {
      records: [sampleState()],
      ledger: [sampleRow('mutation-1')],
      log: sampleLog(),
      intents: [sampleIntent({ recordId: 'task-2' })],
    };
    await save(store, request);
    const loaded = await look(store, {
      records: [task('task-1'), task('task-2')],
      mutationIds: ['mutation-1'],
      log: { logId: 'log-1', sequences: [] },
    });
    expect(loaded).toEqual({
      facts: { epoch: loaded.facts.epoch, head: 1, floor: 0, versionFloor: 0 },
      records: [{ ...sampleState(), place: 1 }],
      ledger: request.ledger,
      log: request.log,
      formerLogs: [],
      intents: request.intents,
    });
  });

  storeTest('takes a record and a log in several saves of one transaction', async ({ store }) => {
    const log = { logId: 'log-1', sequences: [] };
    await store.transaction(async (transaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [], log });
      for (const version of [1, 2]) {
        await transaction.save({ records: [sampleState({ version })], log: sampleLog({ lastTime: version }) });
      }
    });
    const found = await look(store, { log });
    expect([found.log, await feedOf(store)]).toEqual([
      sampleLog({ lastTime: 2 }),
      [told(sampleState({ version: 2 }), 2)],
    ]);
  });

  storeTest('answers what the work resolves with', async ({ store }) => {
    expect(await store.transaction(async () => 'answer')).toBe('answer');
  });

  storeTest('keeps nothing of a transaction whose work throws, and throws on', async ({ store }) => {
    await save(store, { records: [sampleState()] });
    const before = await everything(store);
    const failure = new Error('the work failed');
    const work = async (transaction: StoreTransaction) => {
      const request = {
        records: [sampleState({ version: 2 }), sampleState({ recordId: 'task-2' })],
        ledger: [sampleRow('mutation-2')],
        log: sampleLog(),
        intents: [sampleIntent()],
      };
      await transaction.load(loadRequestOf(request));
      await transaction.save(request);
      throw failure;
    };
    await expect(store.transaction(work)).rejects.toBe(failure);
    expect(await everything(store)).toEqual(before);
  });

  storeTest('keeps nothing of a transaction whose save failed, though the work went on', async ({ store }) => {
    await save(store, { ledger: [sampleRow('mutation-1')], log: sampleLog() });
    const before = await everything(store);
    const work = async (transaction: StoreTransaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [] });
      await transaction.save({ records: [sampleState()], ledger: [sampleRow('mutation-1')] }).catch(() => {});
    };
    await expect(store.transaction(work)).rejects.toThrow();
    expect(await everything(store)).toEqual(before);
  });

  storeTest('loads what was asked for and nothing else', async ({ store }) => {
    const rows = ['a', 'b', 'c', 'd'].map((id, index) => sampleRow(id, { sequence: index + 1 }));
    await save(store, {
      records: ['a', 'b', 'c'].map((recordId) => sampleState({ recordId })),
      ledger: [...rows, sampleRow('e', { logId: 'log-2', sequence: 3 })],
      log: sampleLog(),
      intents: ['b', 'c'].map((recordId) => sampleIntent({ recordId })),
    });
    const loaded = await look(store, {
      records: [task('b'), task('absent'), task('a')],
      mutationIds: ['absent', 'b', 'c'],
      log: { logId: 'log-1', sequences: [3, 4, 99] },
    });
    expect(sortedIds(loaded.records)).toEqual(['a', 'b']);
    expect(loaded.ledger.map(({ mutationId }) => mutationId).toSorted()).toEqual(['b', 'c', 'd']);
    expect(loaded.log).toEqual(sampleLog());
    expect(loaded.intents).toEqual([sampleIntent({ recordId: 'b' })]);
    const other = await look(store, { log: { logId: 'log-2', sequences: [3] } });
    expect(other).toMatchObject({ records: [], log: undefined, intents: [] });
    expect(other.ledger.map(({ mutationId }) => mutationId)).toEqual(['e']);
  });

  storeTest('keeps records apart that differ in id, type of id or object only', async ({ store }) => {
    const names = ['task', 'Task', 'task"', 'task:1', "task'--", 'constructor', 'ü', '日本'];
    const ids = [
      1,
      '1',
      0,
      '0',
      -1,
      2 ** 53 - 1,
      ' ',
      'a:b',
      '"1"',
      '[1]',
      'null',
      '{}',
      '\\',
      'ü',
      'u\u0308',
      '𝄞',
      '%',
    ];
    const states = names.flatMap((objectName) =>
      ids.map((recordId, index) => sampleState({ objectName, recordId, version: index + 1 })),
    );
    const intents = states.map(({ objectName, recordId }) => sampleIntent({ objectName, recordId }));
    await save(store, { records: states, intents });
    const asked = states.filter((_, index) => index % 2 === 0);
    const { records, intents: found } = await look(store, { records: asked });
    expect(records.toSorted((a, b) => a.place - b.place)).toEqual(
      asked.map((state) => ({ ...state, place: states.indexOf(state) + 1 })),
    );
    expect(new Set(found.map(({ state }) => JSON.stringify([state.objectName, state.recordId])))).toEqual(
      new Set(asked.map(({ objectName, recordId }) => JSON.stringify([objectName, recordId]))),
    );
    await save(store, { records: states.map((state) => ({ ...state, version: 99 })) });
    expect(await feedOf(store)).toHaveLength(states.length);
  });

  storeTest('keeps every field name and every JSON value', async ({ store }) => {
    const data = {
      constructor: 'c',
      toString: 1,
      hasOwnProperty: null,
      length: 3,
      'a.b': {},
      '': [],
      '0': 'zero',
      "it's": 'quoted " and \\ ; -- and \n\t\u0001\u2028',
      ü: '日本語 𝄞 e\u0301',
      deep: [[[{ x: [1, 2.5, -1e-7, 1e300, 0.1, 2 ** 53 - 1, true, null] }]]],
    };
    const fieldsOf = (nth: number) => Object.keys(data).filter((_, index) => index % 3 === nth);
    const stamp = { time: 1, logId: 'log-1', sequence: 1 };
    const state = sampleState({
      data,
      writes: [
        { version: 1, stamp, fields: null },
        { version: 2, stamp: { ...stamp, logId: 'log-2' }, fields: fieldsOf(1) },
        { version: 3, stamp: { ...stamp, time: -5 }, fields: fieldsOf(2) },
      ],
      origin: null,
    });
    await save(store, { records: [state] });
    expect(await feedOf(store)).toEqual([told(state, 1)]);
  });

  storeTest('keeps what was saved when the caller changes what it handed in or was handed', async ({ store }) => {
    const data = { title: 'as saved', tags: ['a'] };
    await save(store, { records: [sampleState({ data })] });
    data.tags.push('changed after saving');
    const saved = [{ ...sampleState({ data: { title: 'as saved', tags: ['a'] } }), place: 1 }];
    const { records } = await look(store, { records: [task('task-1')] });
    expect(records).toEqual(saved);
    Object.assign(records[0]?.data ?? {}, { title: 'changed after reading' });
    expect((await look(store, { records: [task('task-1')] })).records).toEqual(saved);
  });

  storeTest('loses no update between transactions that read and write one record', async ({ store }) => {
    await Promise.all(Array.from({ length: 8 }, () => countUp(store)));
    expect(await feedOf(store)).toEqual([told(sampleState({ version: 8, data: { count: 8 } }), 8)]);
  });

  storeTest('shows a page nothing of a transaction that has not committed', async ({ store }) => {
    await save(store, { records: [sampleState()] });
    let page: Promise<unknown> = Promise.resolve();
    await store.transaction(async (transaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [] });
      await transaction.save({ records: [sampleState({ version: 2 })] });
      page = store.page({ after: 0, limit: 10 }).then(({ facts, records }) => [facts.head, records[0]?.version]);
      await Promise.race([page, turns(20)]);
    });
    expect([
      [1, 1],
      [2, 2],
    ]).toContainEqual(await page);
    await expect(
      store.transaction(async (transaction) => {
        await transaction.load({ records: [task('task-1')], mutationIds: [] });
        await transaction.save({ records: [sampleState({ version: 3 })] });
        page = store.page({ after: 0, limit: 10 }).then(({ facts, records }) => [facts.head, records[0]?.version]);
        await Promise.race([page, turns(20)]);
        throw new Error('rolled back');
      }),
    ).rejects.toThrow('rolled back');
    expect(await page).toEqual([2, 2]);
  });

  storeTest('refuses to save a record, intent or log that was not loaded', async ({ store }) => {
    const unloaded = [
      { records: [sampleState()] },
      { intents: [sampleIntent()] },
      { log: sampleLog() },
      { formerLogs: [sampleLog()] },
    ];
    for (const request of unloaded) {
      await expect(store.transaction((transaction) => transaction.save(request))).rejects.toThrow('Load it first');
    }
    expect(await feedOf(store)).toEqual([]);
  });

  storeTest(
    'refuses to load twice, or after saving: what was read or written meanwhile would be missed',
    async ({ store }) => {
      const nothing = { records: [], mutationIds: [] };
      const twice = store.transaction(async (transaction) => {
        await transaction.load(nothing);
        await transaction.load(nothing);
      });
      await expect(twice).rejects.toThrow('loads once');
      const late = store.transaction(async (transaction) => {
        await transaction.save({});
        await transaction.load(nothing);
      });
      await expect(late).rejects.toThrow('loads once');
    },
  );

  storeTest(
    'keeps nothing of a transaction that failed inside a savepoint, and takes the next one',
    async ({ store }) => {
      const nothing = { records: [], mutationIds: [] };
      const failing = store.transaction(async (transaction) => {
        await transaction.load({ records: [task('task-1')], mutationIds: [] });
        await transaction.save({ records: [sampleState()] });
        await transaction.savepoint(() => transaction.load(nothing)).catch(() => {});
      });
      await expect(failing).rejects.toThrow('loads once');
      await save(store, { records: [sampleState({ recordId: 'task-2' })] });
      expect(await feedOf(store)).toEqual([told(sampleState({ recordId: 'task-2' }), 1)]);
    },
  );

  storeTest('refuses a transaction that is used after its last save', async ({ store }) => {
    await store.transaction(async (transaction) => {
      await transaction.load({ records: [task('task-1')], mutationIds: [] });
      await transaction.save({ records: [sampleState()], isLast: true });
      await expect(transaction.save({ records: [sampleState({ version: 2 })] })).rejects.toThrow('has ended');
      await expect(transaction.savepoint(async () => {})).rejects.toThrow('has ended');
    });
    expect(await feedOf(store)).toEqual([told(sampleState(), 1)]);
  });

  storeTest('refuses a transaction that is used after its end', async ({ store }) => {
    const ended = await store.transaction(async (transaction) => transaction);
    await expect(ended.load({ records: [], mutationIds: [] })).rejects.toThrow('has ended');
    await expect(ended.save({})).rejects.toThrow('has ended');
    await expect(ended.savepoint(async () => {})).rejects.toThrow('has ended');
  });
}

/** Reads a counter, lets others run, and writes it one higher. */
function countUp(store: SyncStore): Promise<void> {
  return store.transaction(async (transaction) => {
    const { records } = await transaction.load({ records: [task('task-1')], mutationIds: [] });
    await turns(5);
    const version = (records[0]?.version ?? 0) + 1;
    const count = Number(records[0]?.data?.count ?? 0) + 1;
    await transaction.save({ records: [sampleState({ version, data: { count } })] });
  });
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

/** All that these tests store. */
async function everything(store: SyncStore) {
  const log = { logId: 'log-1', sequences: [1, 2, 3] };
  const records = [task('task-1'), task('task-2')];
  return [await look(store, { records, mutationIds: ['mutation-1', 'mutation-2'], log }), await feedOf(store)];
}

function sortedIds(records: readonly { readonly recordId: string | number }[]) {
  return records.map(({ recordId }) => recordId).toSorted();
}
