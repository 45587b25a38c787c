/** A SQLite file for tests, and stores on it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type { StoreFixture } from '../contract/store-fixture.js';
import type { SqliteDatabase } from './sqlite-database.js';
import { SqliteStore } from './sqlite-store.js';

/** A handle as a driver opens it. */
export type ClosableDatabase = SqliteDatabase & { close(): unknown };

/** A store on a file of its own. */
export type SqliteFixture = Required<StoreFixture> & {
  readonly path: string;
  /** Opens another handle on the file. */
  readonly connect: () => ClosableDatabase;
};

/** Opens a store in a new directory, with a table for notes beside its own. */
export async function openSqliteFixture(
  openDatabase: (path: string) => ClosableDatabase = (path) => new Database(path),
): Promise<SqliteFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'sqlite-store-'));
  const path = join(directory, 'sync.db');
  const databases = new Set<ClosableDatabase>();
  const stores: SqliteStore[] = [];
  const connect = (file = path) => {
    const database = openDatabase(file);
    databases.add(database);
    return database;
  };
  const openStore = async (database: ClosableDatabase) => {
    const store = new SqliteStore(database);
    stores.push(store);
    await store.open();
    return store;
  };
  const first = connect();
  const store = await openStore(first);
  const outside = connect();
  outside.exec('CREATE TABLE notes (note TEXT PRIMARY KEY)');
  return {
    path,
    connect,
    store,
    async reopen() {
      await store.close();
      databases.delete(first);
      first.close();
      return openStore(connect());
    },
    openAnother: () => openStore(connect()),
    async backUp() {
      const copy = join(directory, `backup-${stores.length}.db`);
      outside.prepare('VACUUM INTO ?').run(copy);
      return {
        open: () => openStore(connect(copy)),
        async putBack() {
          outside.prepare('ATTACH ? AS copy').run(copy);
          const names = outside.prepare("SELECT name FROM copy.sqlite_schema WHERE type = 'table'").all();
          // The columns' type is the one of every schema.
          const tables = (names as { name: string }[]).map(({ name }) => name);
          outside.exec(
            `BEGIN; ${tables.map((name) => `DELETE FROM main.${name}; INSERT INTO main.${name} SELECT * FROM copy.${name};`).join(' ')} COMMIT`,
          );
          outside.exec('DETACH copy');
        },
      };
    },
    async makeNewer() {
      outside.exec('UPDATE objectql_sync_schema SET version = 1000');
    },
    notes: {
      async add(handle, note) {
        // The contract hands over what the store was given: a database.
        (handle as SqliteDatabase).prepare('INSERT INTO notes (note) VALUES (?)').run(note);
      },
      async list() {
        const rows = outside.prepare('SELECT note FROM notes ORDER BY note').all() as { note: string }[];
        return rows.map(({ note }) => note);
      },
    },
    async remove() {
      for (const opened of stores) await opened.close();
      for (const database of databases) database.close();
      await rm(directory, { recursive: true });
    },
  };
}
