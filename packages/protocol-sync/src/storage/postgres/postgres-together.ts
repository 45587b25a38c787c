/**
 * Several statements in one round trip. `pg` sends one at a time and waits for its answer. But it lends the connection
 * to a query of the caller's own kind, such as a cursor, and such a query can write all of them at once.
 */
import type { PostgresClient } from './postgres-pool.js';

/** Values as PostgreSQL's texts, so that `pg` need not inspect them. */
export type SqlValues = readonly (string | null)[];

export interface SqlStatement {
  readonly text: string;
  readonly values?: SqlValues;
}

export interface SqlResult {
  /** The command that was executed, e.g. `SELECT` or `COMMIT`. */
  readonly command: string;
  /** Their values are texts, or what `pg` makes of a bigint; no statement selects anything else. */
  readonly rows: readonly unknown[];
}

/**
 * Runs the statements one after the other, each with its own snapshot. After one fails, the rest are not run, and it
 * rejects with that error. Takes one round trip if the client is one of `pg` itself, otherwise one for each statement.
 */
export async function queryTogether(
  client: PostgresClient,
  statements: readonly SqlStatement[],
): Promise<readonly SqlResult[]> {
  if (statements.length > 1 && lendsConnection(client)) {
    return new Promise((resolve, reject) => {
      void client.query(new Together(statements, { resolve, reject }));
    });
  }
  const results: SqlResult[] = [];
  for (const { text, values } of statements) results.push(await client.query(text, values && [...values]));
  return results;
}

/** A client of `pg`. Its native client has no such connection, and with `pipeline: true` it is not lent. */
interface LendingClient {
  query(query: Together): unknown;
}

function lendsConnection(client: object): client is LendingClient {
  const { connection, pipeline } = client as { readonly connection?: Partial<Connection>; readonly pipeline?: unknown };
  return typeof connection?.parse === 'function' && pipeline !== true;
}

/** The part of `pg`'s connection that is used: the messages of PostgreSQL's extended query protocol. */
interface Connection {
  readonly stream: { cork?(): void; uncork?(): void };
  parse(message: { readonly text: string }): void;
  bind(message: { readonly values: SqlValues }): void;
  describe(message: { readonly type: 'P' }): void;
  execute(message: object): void;
  sync(): void;
}

interface Ends {
  readonly resolve: (results: readonly SqlResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/** A query that borrows the connection from `pg`, and is passed the answers. */
class Together {
  readonly #statements: readonly SqlStatement[];
  readonly #results: SqlResult[] = [];
  #names: readonly string[] = [];
  #rows: unknown[] = [];
  /** `pg` wraps it in a function of its own when it watches how long a query takes. */
  callback: (error: unknown, results?: readonly SqlResult[]) => void;

  constructor(statements: readonly SqlStatement[], { resolve, reject }: Ends) {
    this.#statements = statements;
    this.callback = (error, results = []) => (error ? reject(error) : resolve(results));
  }

  submit(connection: Connection): void {
    connection.stream.cork?.();
    for (const { text, values = [] } of this.#statements) {
      connection.parse({ text });
      connection.bind({ values });
      connection.describe({ type: 'P' });
      connection.execute({});
    }
    // After a failed statement, the server drops everything up to here.
    connection.sync();
    connection.stream.uncork?.();
  }

  handleRowDescription({ fields }: { readonly fields: readonly { readonly name: string }[] }): void {
    this.#names = fields.map(({ name }) => name);
  }

  handleDataRow({ fields }: { readonly fields: SqlValues }): void {
    const row: Record<string, string | null> = {};
    for (const [index, name] of this.#names.entries()) row[name] = fields[index] ?? null;
    this.#rows.push(row);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#results.push({ command: text.split(' ', 1)[0] ?? '', rows: this.#rows });
    this.#rows = [];
  }

  handleError(error: unknown): void {
    this.callback(error);
  }

  handleReadyForQuery(): void {
    this.callback(null, this.#results);
  }
}
