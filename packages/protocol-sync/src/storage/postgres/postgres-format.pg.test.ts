import { expect, inject, onTestFinished, test } from 'vitest';
import { FORMAT_CHANGED, formatOf, GOLDEN, readFormat, storeWhole, WHOLE, wholeOf } from '../stored-format.fixture.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { quoteSchema } from './postgres-schema.js';

const FILE = 'postgres-store.json';

const COLUMNS = `
  SELECT table_name, column_name, data_type, collation_name, is_nullable, column_default
  FROM information_schema.columns WHERE table_schema = $1 AND table_name <> 'notes'
  ORDER BY table_name, ordinal_position`;

const INDEXES = `
  SELECT replace(indexdef, quote_ident(schemaname) || '.', '') AS sql
  FROM pg_indexes WHERE schemaname = $1 AND tablename <> 'notes' ORDER BY indexname`;

test('writes the committed format, and reads all of it', async () => {
  const { connect, reopen, schema, store, remove } = await openPostgresFixture(inject('postgresUrl'));
  onTestFinished(remove);
  await storeWhole(store);
  const pool = connect();
  const { rows: columns } = await pool.query(COLUMNS, [schema]);
  const { rows: indexes } = await pool.query(INDEXES, [schema]);
  const inSchema = (name: string) => `${quoteSchema(schema)}.${name}`;
  const rows: Record<string, Readonly<Record<string, unknown>>[]> = {};
  for (const name of new Set<string>(columns.map((column) => column.table_name))) {
    rows[name] = (await pool.query(`SELECT * FROM ${inSchema(name)}`)).rows;
  }
  // Where an epoch was begun is this database's own.
  for (const row of rows.objectql_sync_feed ?? []) Object.assign(row, { begun_in: 'elsewhere' });
  const text = formatOf({ tables: { columns, indexes: indexes.map(({ sql }) => sql) }, rows });
  await expect(text, FORMAT_CHANGED).toMatchFileSnapshot(`${GOLDEN}${FILE}`);

  for (const [name, own] of Object.entries(readFormat(FILE).rows)) {
    await pool.query(`TRUNCATE ${inSchema(name)}`);
    const put = `INSERT INTO ${inSchema(name)} SELECT * FROM json_populate_recordset(NULL::${inSchema(name)}, $1)`;
    await pool.query(put, [JSON.stringify(own)]);
  }
  expect(await wholeOf(await reopen())).toEqual({
    ...WHOLE,
    records: expect.arrayContaining(WHOLE.records),
    ledger: expect.arrayContaining(WHOLE.ledger),
  });
});
