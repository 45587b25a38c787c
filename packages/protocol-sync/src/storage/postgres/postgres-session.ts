/** Connections of the application's pool, borrowed for one transaction at a time. */

import { inTime } from '../../platform/in-time.js';
import { StoreBusyError } from '../sync-store.js';
import { answerInTime, SilentConnectionError } from './answer-in-time.js';
import { isUnavailable, type PostgresClient, type PostgresPool, sqlState } from './postgres-pool.js';
import { type PostgresWaiting, SqlTransaction } from './sql-transaction.js';

/** Takes a connection; throws `StoreBusyError` when none is free in time or the database is out of reach. */
export async function takeClient(pool: PostgresPool, waiting: PostgresWaiting): Promise<PostgresClient> {
  const { platform, connectTimeoutMs: timeoutMs } = waiting;
  let isTooLate = false;
  const giveUp = () => {
    isTooLate = true;
    return new StoreBusyError(`The pool had no free connection for ${timeoutMs} ms. Try again.`);
  };
  const connected = pool.connect().then((client) => {
    // Nobody waits for it any more.
    if (isTooLate) client.release();
    return client;
  });
  try {
    return await inTime(connected, { timeoutMs, platform }, giveUp);
  } catch (error) {
    throw error instanceof StoreBusyError || (sqlState(error) && !isUnavailable(error)) ? error : outOfReach(error);
  }
}

/** The source of connections, and how long to wait for one. */
export interface PostgresSource {
  readonly pool: PostgresPool;
  readonly waiting: PostgresWaiting;
}

/**
 * Runs `work` in one transaction on its own connection. Throws `StoreBusyError` if the connection is lost meanwhile.
 */
export function inTransaction<T>(source: PostgresSource, work: (sql: SqlTransaction) => Promise<T>): Promise<T> {
  return withClient(source, async (client) => {
    const sql = new SqlTransaction(client, source.waiting);
    const result = await work(sql);
    await sql.commit();
    return result;
  });
}

/** Runs `work` with a connection of its own, which is given back without an open transaction. */
export async function withClient<T>(source: PostgresSource, work: (client: PostgresClient) => Promise<T>): Promise<T> {
  const client = await takeClient(source.pool, source.waiting);
  let isLost = false;
  // Without a listener, a connection that breaks while it is borrowed would end the process; its next statement fails.
  client.on('error', ignore);
  try {
    return await work(client);
  } catch (error) {
    isLost =
      error instanceof SilentConnectionError || isUnavailable(error) || !(await canRollBack(client, source.waiting));
    throw isLost ? outOfReach(error) : error;
  } finally {
    // A lost connection may emit another error after it was given back, so its listener stays.
    if (!isLost) client.removeListener('error', ignore);
    client.release(isLost);
  }
}

/** Whether the connection still works and is now free of the failed transaction. */
async function canRollBack(client: PostgresClient, { platform }: PostgresWaiting): Promise<boolean> {
  try {
    await answerInTime(client.query('ROLLBACK'), platform);
    return true;
  } catch {
    return false;
  }
}

function outOfReach(cause: unknown): StoreBusyError {
  return new StoreBusyError('The database is out of reach, or the connection to it was lost. Try again.', { cause });
}

function ignore(): void {}
