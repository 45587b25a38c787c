/** How records are told apart, kept, listed and swept. */
import type { RecordRef } from '@objectql/sync-types';
import { sampleRecord } from './storage-samples.js';
import type { StorageTests } from './storage-tests.contract.js';

/** Declares these tests for one implementation; part of `storageContract`. */
export function recordContract({ storageTest, expect }: StorageTests): void {
  storageTest('keeps records apart that differ in id, type of id or object only', async (session) => {
    const names = ['task', 'Task', 'task"', 'task:1', 'constructor', '__proto__', 'ü', ''];
    const numbers = [1, 0, -1, 1.5, 2 ** 53 - 1];
    const texts = ['1', '0', '', ' ', 'a:b', "it's", '"1"', '[1]', 'null', 'ü', 'u\u0308', '𝄞'];
    const records = names.flatMap((objectName) =>
      [...numbers, ...texts].map((recordId, version) => sampleRecord({ objectName, recordId, version })),
    );
    await session.storage.commit({ putRecords: records });
    await session.reopen();
    expect(await session.storage.getRecords(records)).toEqual(records);
    await session.storage.commit({ removeRecords: [{ objectName: 'task', recordId: '1' }] });
    expect(await session.storage.getRecords(records)).toEqual(
      records.map((record) => (record.objectName === 'task' && record.recordId === '1' ? undefined : record)),
    );
  });

  storageTest('keeps every field name and every JSON value', async (session) => {
    const data = JSON.parse(`{
      "constructor": "c", "toString": 1, "hasOwnProperty": null, "length": 3, "a.b": {}, "": [], "0": "zero",
      "it's": "quoted \\" and ; -- and \\n", "ü": "日本語 𝄞 e\u0301", "deep": [[[{"x": [1, 2.5, -1e-7, 1e300, true]}]]]
    }`);
    await session.storage.commit({ putRecords: [sampleRecord({ data })] });
    await session.reopen();
    const [record] = await session.storage.getRecords([sampleRecord()]);
    expect(JSON.parse(JSON.stringify(record?.data))).toEqual(data);
    expect(Object.keys(record?.data ?? {}).sort()).toEqual(Object.keys(data).sort());
  });

  storageTest('answers records in the order asked for, twice when asked twice', async ({ storage }) => {
    const [a, b] = [sampleRecord({ recordId: 'a' }), sampleRecord({ recordId: 'b' })];
    await storage.commit({ putRecords: [a, b] });
    const absent: RecordRef = { objectName: 'task', recordId: 'absent' };
    expect(await storage.getRecords([b, absent, a, b])).toEqual([b, undefined, a, b]);
    expect(await storage.getRecords([])).toEqual([]);
  });

  storageTest('lists the records of one object', async ({ storage }) => {
    const tasks = [sampleRecord({ recordId: 'a' }), sampleRecord({ recordId: 2 })];
    const others = ['tas', 'task2', 'project'].map((objectName) => sampleRecord({ objectName }));
    await storage.commit({ putRecords: [...tasks, ...others] });
    expect(byId(await storage.listRecords('task'))).toEqual(byId(tasks));
  });

  storageTest('sweeps the records of all objects that a walk did not see, the new puts included', async (session) => {
    const { storage } = session;
    const record = (recordId: string, walk: string | null, objectName = 'task') =>
      sampleRecord({ objectName, recordId, walk });
    await storage.commit({
      putRecords: [record('never seen', null), record('seen before', 'w1'), record('seen', 'w2')],
    });
    await storage.commit({
      putRecords: [record('seen now', 'w2'), record('put unseen', null), record('b', 'w1', 'project')],
      sweepWalk: 'w2',
    });
    await session.reopen();
    expect(byId(await session.storage.listRecords('task'))).toEqual(
      byId([record('seen', 'w2'), record('seen now', 'w2')]),
    );
    expect(await session.storage.listRecords('project')).toEqual([]);
  });
}

function byId(records: readonly RecordRef[]): readonly RecordRef[] {
  return [...records].sort((a, b) => (String(a.recordId) < String(b.recordId) ? -1 : 1));
}
