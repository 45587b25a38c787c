/**
 * What a push does in the database, as functions: PostgreSQL keeps the plans of a function's statements, while planning
 * those of a small push took as long as running them. A function also combines locking and reading, which each need
 * their own snapshot, in one round trip.
 */
import { nameOfText } from '../../push/content-hash.js';
import type { PostgresStatements } from './postgres-statements.js';
import type { SqlTransaction } from './sql-transaction.js';

/**
 * Plans that are good for every size: a plan made while a table was small would read the whole of a large one. The
 * settings apply only inside the function, so an application's own statements are planned as usual.
 */
const SETTINGS = [
  'plan_cache_mode = force_generic_plan',
  ...['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'jit'].map((setting) => `${setting} = off`),
];

/** The types of the saved values, group by group, in the order in which `PostgresTransaction` passes them. */
const RECORDS = ['text[]', 'text', 'bigint[]', 'bigint[]', 'text', 'text', 'boolean[]'];
const CHANNEL = 'text';
const LEDGER = ['text[]', 'text[]', 'bigint[]', 'text[]', 'text', 'text[]', 'text', 'bigint[]'];
/** The log's row, and whether it exists already. */
const LOG = ['text', 'text', 'bigint', 'bigint', 'boolean'];
/** Epoch, next epoch, known head, version floor. */
const FEED = ['text', 'text', 'bigint', 'bigint'];

/** One function: the statement that creates it, and the one that calls it with a value for each parameter. */
export interface PostgresFunction {
  readonly name: string;
  readonly create: string;
  readonly call: string;
}

export type PostgresFunctions = ReturnType<typeof postgresFunctions>;

/** The functions of one schema. Their names depend on their text, so those of two releases do not collide. */
export function postgresFunctions(schema: string, { lock, load, save }: PostgresStatements) {
  return {
    load: makeFunction(schema, 'load', {
      parameters: ['text[]', 'text', 'text[]', 'text', 'bigint[]'],
      answers: [
        ...['epoch text', 'head bigint', 'floor bigint', 'version_floor bigint'],
        ...['records text', 'intents text', 'ledger text', 'log text'],
        ...['locked_logs bigint', 'locked_records bigint', 'locked_intents bigint'],
      ],
      body: `
        ${lock('locked_logs, locked_records, locked_intents')};
        ${load('epoch, head, floor, version_floor, records, intents, ledger, log')};`,
    }),
    save: makeFunction(schema, 'save', {
      parameters: [...RECORDS, CHANNEL, ...LEDGER, ...LOG, ...FEED],
      answers: ['head bigint', 'epoch text', 'version_floor bigint'],
      // The error code makes the transaction run again.
      body: `
        ${save('head, epoch, version_floor')};
        PERFORM pg_notify($8, head::text) WHERE head IS NOT NULL;
        IF (epoch <> $22 AND epoch IS DISTINCT FROM $23) OR version_floor <> $25 THEN
          RAISE EXCEPTION 'The feed got a new epoch or a higher floor since it was read.'
            USING ERRCODE = 'serialization_failure';
        END IF;`,
    }),
  };
}

/**
 * Creates the functions that the schema, a quoted identifier's plain `name`, lacks; inside the caller's transaction.
 */
export async function createFunctions(
  sql: SqlTransaction,
  name: string,
  functions: readonly PostgresFunction[],
): Promise<void> {
  const found = await sql.rows<{ readonly proname: string }>(
    'SELECT proname FROM pg_proc WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname = $1)',
    [name],
  );
  const there = new Set(found.map(({ proname }) => proname));
  for (const { name: wanted, create } of functions) if (!there.has(wanted)) await sql.rows(create);
}

interface FunctionText {
  readonly parameters: readonly string[];
  readonly answers: readonly string[];
  readonly body: string;
}

function makeFunction(schema: string, does: string, { parameters, answers, body }: FunctionText): PostgresFunction {
  const head = `(${parameters.join(', ')}, ${answers.map((answer) => `OUT ${answer}`).join(', ')})
    LANGUAGE plpgsql ${SETTINGS.map((setting) => `SET ${setting}`).join(' ')}`;
  const text = `
      #variable_conflict use_column
      BEGIN ${body}
      END`;
  // Includes the schema: if that was renamed, the earlier functions name tables that no longer exist.
  const name = `objectql_sync_${does}_${nameOfText(head + text)}`;
  const values = parameters.map((_, index) => `$${index + 1}`);
  return {
    name,
    create: `CREATE FUNCTION ${schema}.${name} ${head} AS $${name}$${text}\n$${name}$`,
    call: `SELECT * FROM ${schema}.${name}(${values.join(', ')})`,
  };
}
