import Database from 'libsql';
import { expect, onTestFinished, test } from 'vitest';
import { FORMAT_CHANGED, formatOf, GOLDEN, readFormat, storeWhole, WHOLE, wholeOf } from '../stored-format.fixture.js';
import { openSqliteFixture } from './sqlite-store.fixture.js';
import { SqliteStore } from './sqlite-store.js';

const FILE = 'sqlite-store.json';

test('writes the committed format', async () => {
  const { path, store, remove } = await openSqliteFixture();
  onTestFinished(remove);
  await storeWhole(store);
  const database = new Database(path);
  const all = (sql: string) => database.prepare(sql).all() as readonly Readonly<Record<string, unknown>>[];
  // Tables before their indexes.
  const made = all(
    "SELECT name, type, sql FROM sqlite_schema WHERE sql <> '' AND name <> 'notes' ORDER BY type DESC, name",
  );
  const names = made.filter(({ type }) => type === 'table').map(({ name }) => String(name));
  const rows = Object.fromEntries(names.map((name) => [name, all(`SELECT * FROM ${name}`)]));
  database.close();
  const text = formatOf({ tables: made.map(({ sql }) => sql), rows });
  await expect(text, FORMAT_CHANGED).toMatchFileSnapshot(`${GOLDEN}${FILE}`);
});

test('reads all of the committed format', async () => {
  const { tables, rows } = readFormat(FILE);
  const database = new Database(':memory:');
  // A cast: the test above wrote them.
  for (const sql of tables as readonly string[]) database.exec(sql);
  for (const [table, own] of Object.entries(rows)) {
    for (const row of own) {
      const values = Object.values(row);
      database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?')})`).run(...values);
    }
  }
  await using store = new SqliteStore(database);
  await store.open();
  expect(await wholeOf(store)).toEqual({
    ...WHOLE,
    records: expect.arrayContaining(WHOLE.records),
    ledger: expect.arrayContaining(WHOLE.ledger),
  });
});
