/** One transaction on a connection, in as few round trips as its statements allow. */
import type { Platform } from '../../platform/platform.js';
import { answerInTime } from './answer-in-time.js';
import type { PostgresClient } from './postgres-pool.js';
import { queryTogether, type SqlResult, type SqlStatement, type SqlValues } from './postgres-together.js';

/**
 * 20 s for one statement, 30 s of silence inside a transaction: longer than any resolver may take, so a process that
 * hangs does not keep others from its records for ever.
 */
const STATEMENT_TIMEOUT_MS = 20_000;
const IDLE_TIMEOUT_MS = 30_000;
/** 25 days: the most that PostgreSQL accepts. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** How long to wait, and the platform for its timers. */
export interface PostgresWaiting {
  /** Milliseconds to wait for a free connection of the pool. */
  readonly connectTimeoutMs: number;
  /** Milliseconds to wait for another transaction's lock. */
  readonly lockTimeoutMs: number;
  readonly platform: Pick<Platform, 'setTimer'>;
}

/** Begins with its first statement and may end with its last one, each in that statement's own round trip. */
export class SqlTransaction {
  readonly #client: PostgresClient;
  readonly #waiting: PostgresWaiting;
  #stage: 'unbegun' | 'open' | 'over' = 'unbegun';
  #begun: Promise<unknown> = Promise.resolve();

  constructor(client: PostgresClient, waiting: PostgresWaiting) {
    this.#client = client;
    this.#waiting = waiting;
  }

  /** The connection, for other code's statements in this transaction. */
  get client(): PostgresClient {
    if (this.#stage === 'unbegun') {
      // Not awaited: the connection queues what comes next behind it. The commit reports a failure.
      this.#begun = this.#send([]);
      this.#begun.catch(() => {});
    }
    return this.#client;
  }

  /** Runs a statement; answers its rows, with `Row` as the caller's claim of what it selects. */
  async rows<Row = unknown>(text: string, values?: SqlValues): Promise<readonly Row[]> {
    return rowsOf<Row>(await this.#send([{ text, ...(values && { values }) }]));
  }

  /** The same for the last statement of the transaction: it is committed when this resolves. */
  async lastRows<Row = unknown>(text: string, values: SqlValues): Promise<readonly Row[]> {
    const results = await this.#send([{ text, values }, COMMIT]);
    this.#refuseRolledBack(results.at(-1));
    return rowsOf<Row>(results.slice(0, -1));
  }

  /** Commits if it is not committed yet. */
  async commit(): Promise<void> {
    await this.#begun;
    if (this.#stage !== 'open') return;
    this.#refuseRolledBack((await this.#send([COMMIT])).at(-1));
  }

  async #send(statements: readonly SqlStatement[]): Promise<readonly SqlResult[]> {
    const opening = this.#stage === 'unbegun' ? this.#opening() : [];
    this.#stage = 'open';
    return answerInTime(queryTogether(this.#client, [...opening, ...statements]), this.#waiting.platform);
  }

  #opening(): readonly SqlStatement[] {
    const settings = Object.entries({
      lock_timeout: this.#waiting.lockTimeoutMs,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
    }).map(([name, ms]) => `set_config('${name}', '${Math.min(Math.round(ms), MAX_TIMEOUT_MS)}', true)`);
    return [{ text: 'BEGIN ISOLATION LEVEL READ COMMITTED' }, { text: `SELECT ${settings.join(', ')}` }];
  }

  /** If a statement failed in the transaction, PostgreSQL answers its COMMIT with a rollback and no error. */
  #refuseRolledBack(result: SqlResult | undefined): void {
    this.#stage = 'over';
    if (result?.command !== 'COMMIT') throw new Error('A statement failed in the transaction, so it was rolled back.');
  }
}

const COMMIT: SqlStatement = { text: 'COMMIT' };

/** The rows of the last statement. */
function rowsOf<Row>(results: readonly SqlResult[]): readonly Row[] {
  return (results.at(-1)?.rows ?? []) as readonly Row[];
}
