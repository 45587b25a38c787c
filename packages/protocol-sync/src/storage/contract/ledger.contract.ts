/** What the ledger, the logs and the intents promise. */
import type { LedgerOutcome, SaveRequest } from '../sync-store.js';
import { look, sampleIntent, sampleLog, sampleRow, save, task } from './store-samples.js';
import type { StoreTests } from './store-tests.contract.js';

/** Declares these tests for one implementation; part of `storeContract`. */
export function ledgerContract({ storeTest, expect }: StoreTests): void {
  storeTest('keeps every kind of outcome', async ({ store }) => {
    const outcomes: readonly LedgerOutcome[] = [
      { status: 'applied', version: 2 ** 53 - 1, droppedFields: ['constructor', 'a "b"', 'ü'] },
      { status: 'conflict', kind: 'stale-incarnation', fields: ['title'] },
      { status: 'rejected', code: 'VALIDATION', reason: 'The “title” isn\'t \\ valid: "𝄞"' },
    ];
    const rows = outcomes.map((outcome, index) =>
      sampleRow(`mutation:"${index}"`, { outcome, sequence: index + 1, recordId: index }),
    );
    await save(store, { ledger: rows, log: sampleLog() });
    const { ledger } = await look(store, { mutationIds: rows.map(({ mutationId }) => mutationId) });
    expect(ledger.toSorted((a, b) => a.sequence - b.sequence)).toEqual(rows);
  });

  storeTest('finds a row by its id or by its log and sequence, and tells it once', async ({ store }) => {
    const row = sampleRow('1', { sequence: 7 });
    await save(store, { ledger: [row], log: sampleLog() });
    const log = { logId: 'log-1', sequences: [7, 7, 8] };
    expect((await look(store, { mutationIds: ['1', '1'] })).ledger).toEqual([row]);
    expect((await look(store, { log })).ledger).toEqual([row]);
    expect((await look(store, { mutationIds: ['1'], log })).ledger).toEqual([row]);
    expect((await look(store, { log: { logId: 'log-2', sequences: [7] } })).ledger).toEqual([]);
  });

  storeTest('takes each mutation id once', async ({ store }) => {
    await save(store, { ledger: [sampleRow('m')], log: sampleLog() });
    await expect(save(store, { ledger: [sampleRow('m', { sequence: 2 })] })).rejects.toThrow();
    await expect(
      save(store, { ledger: [sampleRow('n', { sequence: 3 }), sampleRow('n', { sequence: 4 })] }),
    ).rejects.toThrow();
    expect((await look(store, { mutationIds: ['m', 'n'] })).ledger).toEqual([sampleRow('m')]);
  });

  storeTest('takes each sequence of a log once', async ({ store }) => {
    await save(store, { ledger: [sampleRow('m'), sampleRow('n', { logId: 'log-2' })], log: sampleLog() });
    await expect(save(store, { ledger: [sampleRow('clone')] })).rejects.toThrow();
    expect((await look(store, { mutationIds: ['clone'] })).ledger).toEqual([]);
  });

  storeTest('takes equal sequences of mutations that have no log', async ({ store }) => {
    const rows = ['a', 'b'].map((id) => sampleRow(id, { logId: null }));
    for (const row of rows) await save(store, { ledger: [row] });
    const { ledger } = await look(store, { mutationIds: ['a', 'b'], log: { logId: 'null', sequences: [1] } });
    expect(ledger.toSorted((a, b) => (a.mutationId < b.mutationId ? -1 : 1))).toEqual(rows);
  });

  storeTest('keeps the first principal of a log, and lowers neither its floor nor its time', async ({ store }) => {
    const wanted = { log: { logId: 'log-1', sequences: [] } };
    const another = sampleLog({ logId: 'log-2', floor: 1, lastTime: 1 });
    await save(store, { log: another });
    expect((await look(store, wanted)).log).toBeUndefined();
    await save(store, { log: sampleLog({ principal: null, floor: 5, lastTime: 100 }) });
    await save(store, { log: sampleLog({ principal: 'eve', floor: 6, lastTime: 150 }) });
    await save(store, { log: sampleLog({ principal: 'eve', floor: 4, lastTime: 200 }) });
    await save(store, { log: sampleLog({ principal: 'eve', floor: 5, lastTime: 50 }) });
    expect((await look(store, wanted)).log).toEqual(sampleLog({ principal: null, floor: 6, lastTime: 200 }));
    expect((await look(store, { log: { logId: 'log-2', sequences: [] } })).log).toEqual(another);
  });

  storeTest('tells of logs that a device has left, and of the rows in their places, each once', async ({ store }) => {
    const former = [sampleLog({ logId: 'log-2', floor: 3 }), sampleLog({ logId: 'log-3', principal: null })];
    const rows = [
      sampleRow('own', { sequence: 5 }),
      sampleRow('clone', { logId: 'log-2', sequence: 5 }),
      sampleRow('kept', { logId: 'log-2', sequence: 6 }),
      sampleRow('elsewhere', { logId: 'log-2', sequence: 7 }),
      sampleRow('another', { logId: 'log-3', sequence: 7 }),
    ];
    await save(store, { log: sampleLog(), formerLogs: former, ledger: rows });
    const asked = [
      { logId: 'log-3', sequences: [6, 7] },
      { logId: 'log-2', sequences: [5, 6, 99] },
      { logId: 'absent', sequences: [5] },
    ];
    const told = await look(store, {
      mutationIds: ['kept', 'absent'],
      log: { logId: 'log-1', sequences: [5] },
      formerLogs: asked,
    });
    expect(told.ledger.map(({ mutationId }) => mutationId).toSorted()).toEqual(['another', 'clone', 'kept', 'own']);
    expect(told.log).toEqual(sampleLog());
    expect(told.formerLogs.toSorted((a, b) => (a.logId < b.logId ? -1 : 1))).toEqual(former);
  });

  storeTest('adds a log that a device has left, and changes none that is there', async ({ store }) => {
    await save(store, { log: sampleLog({ floor: 5 }) });
    await save(store, { formerLogs: [sampleLog({ principal: 'eve', floor: 0, lastTime: 0 })] });
    expect((await look(store, { log: { logId: 'log-1', sequences: [] } })).log).toEqual(sampleLog({ floor: 5 }));
  });

  storeTest('keeps one intent of a record until it is settled', async ({ store }) => {
    const first = sampleIntent({ version: 1 });
    const second = sampleIntent({ version: 2 });
    const other = sampleIntent({ recordId: 'task-2' });
    await save(store, { intents: [first, other] });
    await expect(save(store, { intents: [second] })).rejects.toThrow();
    const twice = [1, 2].map((version) => sampleIntent({ recordId: 'task-3', version }));
    await expect(save(store, { intents: twice })).rejects.toThrow();
    expect(await intents(first)).toEqual([first]);
    await save(store, { intents: [second], settledIntents: [task('task-1'), task('absent')] });
    expect(await intents(first)).toEqual([second]);
    await save(store, { settledIntents: [task('task-1')] });
    expect(await intents(first, other)).toEqual([other]);

    async function intents(...asked: NonNullable<SaveRequest['intents']>) {
      return (await look(store, { records: asked })).intents;
    }
  });
}
