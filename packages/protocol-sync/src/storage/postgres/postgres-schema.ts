/** The PostgreSQL store's tables, and how an older schema is upgraded. */

import { stepsFrom } from '../schema-version.js';
import { HERE } from './postgres-statements.js';
import type { SqlTransaction } from './sql-transaction.js';

/**
 * The schema's name as an identifier. Throws for a name that PostgreSQL would truncate or refuse: two truncated names
 * could become one schema.
 */
export function quoteSchema(name: string): string {
  if (name === '' || name.includes('\0') || new TextEncoder().encode(name).length > MAX_IDENTIFIER_BYTES) {
    throw new TypeError(`The schema's name must have 1 to ${MAX_IDENTIFIER_BYTES} bytes and no NUL: ${name}`);
  }
  return `"${name.replaceAll('"', '""')}"`;
}

/** PostgreSQL truncates longer names. */
const MAX_IDENTIFIER_BYTES = 63;

/**
 * Creates or upgrades the tables, inside the caller's transaction. Processes that start at once take turns. Throws
 * `NewerSchemaError` for a later release's schema, and an error for a database whose encoding lacks characters.
 */
export async function migratePostgres(sql: SqlTransaction, name: string, epoch: string): Promise<void> {
  const schema = quoteSchema(name);
  const lock = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0)), current_setting('server_encoding') AS encoding";
  const [locked] = await sql.rows<{ encoding: string }>(lock, [`objectql_sync migrate ${name}`]);
  refuseEncoding(locked?.encoding ?? '');
  const there = await sql.rows('SELECT 1 FROM pg_namespace WHERE nspname = $1', [name]);
  // Asked first, because CREATE SCHEMA IF NOT EXISTS needs the right to create one even if it exists.
  if (there.length === 0) await sql.rows(`CREATE SCHEMA ${schema}`);
  const tables = await sql.rows('SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2', [
    name,
    'objectql_sync_schema',
  ]);
  if (tables.length === 0) await sql.rows(`CREATE TABLE ${schema}.objectql_sync_schema (version integer NOT NULL)`);
  const [found] = await sql.rows<{ version: number }>(`SELECT version FROM ${schema}.objectql_sync_schema`);
  const steps = stepsFrom(found?.version ?? 0, STEPS);
  if (steps.length === 0) return;
  for (const step of steps) await sql.rows(step.replaceAll('$schema', () => schema));
  await sql.rows(`DELETE FROM ${schema}.objectql_sync_schema`);
  await sql.rows(`INSERT INTO ${schema}.objectql_sync_schema (version) VALUES ($1)`, [String(STEPS.length)]);
  if (found) return;
  await sql.rows(`INSERT INTO ${schema}.objectql_sync_feed (epoch) VALUES ($1)`, [epoch]);
  await sql.rows(`UPDATE ${schema}.objectql_sync_feed SET begun_in = ${HERE}`);
}

/** Throws for a database that cannot store some characters: a push with one of them would fail for ever. */
function refuseEncoding(encoding: string): void {
  // `SQL_ASCII` keeps bytes as they come.
  if (encoding === 'UTF8' || encoding === 'SQL_ASCII') return;
  throw new Error(
    `The database is encoded in ${encoding}, which lacks characters that devices write. Create one with ENCODING 'UTF8' for sync.`,
  );
}

/**
 * Steps are never changed once released. Names collate as bytes, whatever the database's own collation makes equal or
 * reorders in an upgrade. A record id is kept as its JSON text, so that 1 and "1" stay two records; data is kept as text,
 * because jsonb would change numbers and the order of fields.
 */
const STEPS: readonly string[] = [
  `
  CREATE TABLE $schema.objectql_sync_feed (
    id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1), epoch text NOT NULL, head bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT 0, version_floor bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 10);
  CREATE TABLE $schema.objectql_sync_records (
    object_name text COLLATE "C" NOT NULL, record_id text COLLATE "C" NOT NULL, place bigint NOT NULL,
    version bigint NOT NULL, changed_at bigint NOT NULL, data text, bookkeeping text NOT NULL,
    PRIMARY KEY (object_name, record_id)
  );
  CREATE UNIQUE INDEX objectql_sync_records_by_place ON $schema.objectql_sync_records (place);
  CREATE INDEX objectql_sync_records_by_object ON $schema.objectql_sync_records (object_name, place);
  CREATE INDEX objectql_sync_tombstones ON $schema.objectql_sync_records (changed_at) WHERE data IS NULL;
  CREATE TABLE $schema.objectql_sync_ledger (
    mutation_id text COLLATE "C" PRIMARY KEY, log_id text COLLATE "C", sequence bigint NOT NULL,
    object_name text COLLATE "C" NOT NULL, record_id text COLLATE "C" NOT NULL, content_hash text NOT NULL,
    outcome text NOT NULL, at bigint NOT NULL
  );
  CREATE UNIQUE INDEX objectql_sync_ledger_by_sequence ON $schema.objectql_sync_ledger (log_id, sequence)
    WHERE log_id IS NOT NULL;
  CREATE INDEX objectql_sync_ledger_by_age ON $schema.objectql_sync_ledger (at);
  CREATE TABLE $schema.objectql_sync_logs (
    log_id text COLLATE "C" PRIMARY KEY, principal text, floor bigint NOT NULL, last_time bigint NOT NULL
  );
  CREATE TABLE $schema.objectql_sync_intents (
    object_name text COLLATE "C" NOT NULL, record_id text COLLATE "C" NOT NULL, intent text NOT NULL,
    PRIMARY KEY (object_name, record_id)
  );
  `,
  // The earlier epochs that the feed's present one continues, each with its last place; and the database where the
  // present one was begun.
  `
  CREATE TABLE $schema.objectql_sync_epochs (epoch text COLLATE "C" PRIMARY KEY, last_place bigint NOT NULL);
  CREATE INDEX objectql_sync_epochs_by_place ON $schema.objectql_sync_epochs (last_place);
  ALTER TABLE $schema.objectql_sync_feed ADD COLUMN begun_in text NOT NULL DEFAULT '';
  `,
];
