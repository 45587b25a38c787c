import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryDirectory } from '../../test/fixtures/temporary-directory.js';
import { storageFaultContract } from './contract/faults.contract.js';
import { storageModelContract } from './contract/model.contract.js';
import type { StorageFixture } from './contract/storage-fixture.js';
import { sampleEntry, sampleMeta, sampleRecord } from './contract/storage-samples.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { SqliteStorage } from './sqlite-storage.js';
import { storageContract } from './storage.contract.js';

const fixture: StorageFixture = {
  keeps: 'everything',
  loadReads: 'pending',
  async newPlace() {
    const directory = await mkdtemp(join(tmpdir(), 'sqlite-storage-'));
    const path = join(directory, 'sync.db');
    return {
      open: () => new SqliteStorage(new Database(path)),
      remove: () => rm(directory, { recursive: true }),
    };
  },
};
storageContract('SqliteStorage', fixture, { describe, it, expect });
storageModelContract('SqliteStorage', fixture, 30);
storageFaultContract('SqliteStorage', fixture);

describe('SqliteStorage', () => {
  let directory: string;
  let path: string;

  beforeEach(async () => {
    directory = await temporaryDirectory();
    path = join(directory, 'sync.db');
  });

  it('syncs every commit to the disk, in a journal that lets others read', async () => {
    const database = new Database(path);
    await new SqliteStorage(database).load();
    const pragma = (name: string) => Object.values(Object(database.prepare(`PRAGMA ${name}`).get()))[0];
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('fullfsync')]).toEqual(['wal', 3, 1]);
  });

  it('refuses tables of a newer version, and leaves them as they are', async () => {
    const database = new Database(path);
    await new SqliteStorage(database).commit({ putEntries: [sampleEntry('m1')] });
    database.exec('UPDATE sync_client SET schema_version = 2; DROP TABLE sync_client_conflicts');
    const storage = new SqliteStorage(new Database(path));
    for (const call of [storage.load(), storage.commit({ removeEntries: ['m1'] }), storage.listRecords('task')]) {
      await expect(call).rejects.toMatchObject({
        name: 'StorageError',
        code: 'TOO_NEW',
        message: expect.stringContaining('Update the app'),
      });
    }
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    expect(tables.map((table) => Object(table).name)).toEqual([
      'sync_client',
      'sync_client_dead_letters',
      'sync_client_entries',
      'sync_client_records',
    ]);
    expect(database.prepare('SELECT count(*) AS entries FROM sync_client_entries').get()).toMatchObject({ entries: 1 });
  });

  it('writes nothing any more when a newer version has upgraded the tables under it', async () => {
    const storage = new SqliteStorage(new Database(path));
    await storage.commit({ putEntries: [sampleEntry('m1')] });
    const newer = new Database(path);
    newer.exec('ALTER TABLE sync_client_entries ADD COLUMN place INTEGER; UPDATE sync_client SET schema_version = 2');
    const calls = [
      () => storage.load(),
      () => storage.commit({ removeEntries: ['m1'], putRecords: [sampleRecord()] }),
      () => storage.listRecords('task'),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ name: 'StorageError', code: 'TOO_NEW' });
    const count = newer.prepare(
      'SELECT (SELECT count(*) FROM sync_client_entries) AS entries, count(*) AS records FROM sync_client_records',
    );
    expect(count.get()).toMatchObject({ entries: 1, records: 0 });
  });

  it('says that a file is no database', async () => {
    await writeFile(path, 'Dear diary, today I was not a database. '.repeat(100));
    const storage = new SqliteStorage(new Database(path));
    await expect(storage.load()).rejects.toMatchObject({ name: 'StorageError', code: 'DAMAGED' });
  });

  it('shares a database with the app, and with another process that stores at the same time', async () => {
    const database = new Database(path);
    database.exec('CREATE TABLE tasks (id TEXT); INSERT INTO tasks VALUES (1)');
    const [one, other] = [new SqliteStorage(database), new SqliteStorage(new Database(path))];
    await one.commit({ meta: sampleMeta({ checkpoint: 'c1' }) });
    await other.commit({ expectCheckpoint: 'c1', meta: sampleMeta({ checkpoint: 'c2' }) });
    await expect(one.commit({ expectCheckpoint: 'c1', putEntries: [sampleEntry('m1')] })).rejects.toThrow(
      'Load the storage',
    );
    await one.commit({ putEntries: [sampleEntry('m2')] });
    expect(await other.load()).toEqual(await one.load());
    expect(database.prepare('SELECT count(*) AS tasks FROM tasks').get()).toMatchObject({ tasks: 1 });
  });

  it('says that another process holds the write lock', async () => {
    const storage = new SqliteStorage(new Database(path));
    await storage.load();
    const database = new Database(path);
    database.exec('BEGIN IMMEDIATE');
    const impatient = new Database(path);
    const held = new SqliteStorage(afterOpening(impatient, 'PRAGMA busy_timeout = 10'));
    await held.load();
    await expect(held.commit({})).rejects.toMatchObject({ name: 'StorageError', code: 'LOCKED' });
    database.exec('ROLLBACK');
    await held.commit({ putEntries: [sampleEntry('m1')] });
    expect((await storage.load()).entries).toEqual([sampleEntry('m1')]);
  });

  it('waits its turn for a database that another process is just making', async () => {
    const other = new Database(path);
    other.exec('CREATE TABLE tasks (id TEXT); BEGIN; SELECT * FROM tasks');
    const database = new Database(path);
    // The other one ends as soon as it is waited for: while its lock is held, the journal cannot become another one.
    const statements: string[] = [];
    const waiting: SqliteDatabase = {
      exec(text) {
        statements.push(text);
        if (text === 'BEGIN IMMEDIATE' && other.inTransaction) other.exec('COMMIT');
        database.exec(text);
        if (text.startsWith('PRAGMA busy_timeout')) database.exec('PRAGMA busy_timeout = 10');
      },
      prepare: (text) => database.prepare(text),
    };
    await new SqliteStorage(waiting).commit({ putEntries: [sampleEntry('m1')] });
    expect(statements.filter((text) => text.includes('WAL'))).toHaveLength(2);
    expect((await new SqliteStorage(database).load()).entries).toEqual([sampleEntry('m1')]);
  });

  it('stores nothing of a batch that the disk has no room for, and goes on when it has', async () => {
    const database = new Database(path);
    const storage = new SqliteStorage(database);
    await storage.commit({ putEntries: [sampleEntry('m1', 1)] });
    const large = sampleRecord({ data: { text: 'x'.repeat(100_000) } });
    database.exec('PRAGMA max_page_count = 1');
    const failing = storage.commit({ putEntries: [sampleEntry('m2', 2)], putRecords: [large] });
    await expect(failing).rejects.toMatchObject({ name: 'StorageError', code: 'FULL' });
    expect((await storage.load()).entries).toEqual([sampleEntry('m1', 1)]);
    database.exec('PRAGMA max_page_count = 1000');
    await storage.commit({ putEntries: [sampleEntry('m3', 3)], putRecords: [large] });
    expect((await storage.load()).entries).toEqual([sampleEntry('m1', 1), sampleEntry('m3', 3)]);
  });

  it('rolls back a batch that fails half way, and takes the next', async () => {
    const database = new Database(path);
    const storage = new SqliteStorage(database);
    await storage.load();
    database.exec(`CREATE TRIGGER refuse BEFORE INSERT ON sync_client_records WHEN new.record_id = '"bad"'
      BEGIN SELECT RAISE(ABORT, 'no'); END`);
    const putRecords = [sampleRecord({ recordId: 'good' }), sampleRecord({ recordId: 'bad' })];
    const failing = storage.commit({ meta: sampleMeta(), putEntries: [sampleEntry('m1')], putRecords });
    await expect(failing).rejects.toMatchObject({ name: 'StorageError', code: 'FAILED', cause: { message: 'no' } });
    expect(await storage.load()).toEqual({ meta: null, entries: [], conflicts: [], deadLetters: [] });
    expect(await storage.listRecords('task')).toEqual([]);
    await storage.commit({ putRecords: putRecords.slice(0, 1) });
    expect(await storage.listRecords('task')).toHaveLength(1);
  });
});

/** Runs `sql` when the storage has set up the connection. */
function afterOpening(database: SqliteDatabase, sql: string): SqliteDatabase {
  return {
    exec: (text) => {
      database.exec(text);
      if (text.startsWith('PRAGMA')) database.exec(sql);
    },
    prepare: (text) => database.prepare(text),
  };
}
