/** What the PostgreSQL store uses of a `pg` Pool, and what it reads from `pg`'s errors. */

/** One connection, as `pool.connect()` gives it. */
export interface PostgresClient {
  // Mutable, as `pg` declares it.
  query(text: string, values?: unknown[]): Promise<{ command: string; rows: unknown[] }>;
  // biome-ignore lint/suspicious/noExplicitAny: `pg` declares a listener's arguments event by event.
  on(event: string, listener: (...values: any[]) => void): unknown;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  removeListener(event: string, listener: (...values: any[]) => void): unknown;
  /** Gives the connection back; with an error, or true, it is closed instead. */
  release(error?: Error | boolean): void;
}

/** A `Pool` of `pg` 8, which the application makes and ends. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
}

/** The five-letter code of an error that PostgreSQL itself reported; `undefined` for any other. */
export function sqlState(error: unknown): string | undefined {
  // `EPIPE` has five letters too; only errors from the server have a severity.
  if (!(error instanceof Error) || !('severity' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** Two transactions were in each other's way: serialisation failure, deadlock, lock timeout. */
export function isContention(error: unknown): boolean {
  return CONTENTION.has(sqlState(error) ?? '');
}

/** Another transaction kept a lock for longer than the lock timeout. */
export function isLockTimeout(error: unknown): boolean {
  return sqlState(error) === '55P03';
}

/** A row with this key exists already; another transaction may have just written it. */
export function isDuplicateKey(error: unknown): boolean {
  return sqlState(error) === '23505';
}

/** The called function does not exist. */
export function isMissingFunction(error: unknown): boolean {
  return sqlState(error) === '42883';
}

/** The server ended the connection, is going down or coming up, has none left, or has become a standby under the connection. */
export function isUnavailable(error: unknown): boolean {
  const code = sqlState(error);
  return code !== undefined && (code.startsWith('08') || UNAVAILABLE.has(code));
}

const CONTENTION: ReadonlySet<string> = new Set(['40001', '40P01', '55P03']);
/** Shutdown, crash, starting up, database dropped, idle for too long; too many connections; read only. */
const UNAVAILABLE: ReadonlySet<string> = new Set([
  '57P01',
  '57P02',
  '57P03',
  '57P04',
  '57P05',
  '25P03',
  '53300',
  '25006',
]);
