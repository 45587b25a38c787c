/** What storages write, as it is committed: the next release opens it, and so does the last one after a rollback. */
import { readdirSync, readFileSync } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../test/fixtures/temporary-directory.js';
import { FORMAT_CHANGED, GOLDEN, sampleWholeBatch } from '../../test/fixtures/whole-samples.js';
import type { ClientStorage } from './client-storage.js';
import { FileStorage } from './file-storage.js';
import { SqliteStorage } from './sqlite-storage.js';

/** The committed files of a storage: its present format, and those before it. */
const formats = (storage: string) => readdirSync(GOLDEN).filter((name) => name.startsWith(storage));

async function expectWhole(storage: ClientStorage): Promise<void> {
  const { meta, putEntries, putConflicts, putDeadLetters, putRecords } = sampleWholeBatch();
  const stored = { meta, entries: putEntries, conflicts: putConflicts, deadLetters: putDeadLetters };
  expect([await storage.load(), await storage.listRecords('task')]).toEqual([stored, putRecords]);
  await storage.close();
}

describe('FileStorage', () => {
  test('writes the committed format', async () => {
    const path = join(await temporaryDirectory(), 'sync.journal');
    const storage = new FileStorage(path);
    await storage.commit(sampleWholeBatch());
    await storage.close();
    await expect(await readFile(path, 'utf8'), FORMAT_CHANGED).toMatchFileSnapshot(`${GOLDEN}file-storage.journal`);
  });

  test.for(formats('file-storage'))('reads all of %s', async (name) => {
    const path = join(await temporaryDirectory(), 'sync.journal');
    await copyFile(`${GOLDEN}${name}`, path);
    await expectWhole(new FileStorage(path));
  });
});

describe('SqliteStorage', () => {
  interface Dump {
    readonly tables: readonly string[];
    readonly rows: Readonly<Record<string, readonly Readonly<Record<string, string | number>>[]>>;
  }

  test('writes the committed format', async () => {
    const database = new Database(':memory:');
    await new SqliteStorage(database).commit(sampleWholeBatch());
    const made = database.prepare("SELECT name, sql FROM sqlite_master WHERE sql <> '' ORDER BY name").all();
    // The columns' type is the one of every schema.
    const tables = made as { readonly name: string; readonly sql: string }[];
    const rows = tables.map(({ name }) => [name, database.prepare(`SELECT * FROM ${name}`).all()]);
    const dump = { tables: tables.map(({ sql }) => sql), rows: Object.fromEntries(rows) };
    await expect(`${JSON.stringify(dump, null, 2)}\n`, FORMAT_CHANGED).toMatchFileSnapshot(
      `${GOLDEN}sqlite-storage.json`,
    );
  });

  test.for(formats('sqlite-storage'))('reads all of %s', async (name) => {
    // A cast: the test above wrote it.
    const { tables, rows } = JSON.parse(readFileSync(`${GOLDEN}${name}`, 'utf8')) as Dump;
    const database = new Database(':memory:');
    for (const table of tables) database.exec(table);
    for (const [table, own] of Object.entries(rows)) {
      for (const row of own) {
        const values = Object.values(row);
        database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?')})`).run(...values);
      }
    }
    await expectWhole(new SqliteStorage(database));
  });
});
