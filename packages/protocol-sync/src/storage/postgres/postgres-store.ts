/** A store in a PostgreSQL database, shared by any number of server processes. */
import { type Platform, systemPlatform } from '../../platform/platform.js';
import { DURATION_KIND, type OptionKinds, refuseWrongOptions } from '../../refuse-wrong-options.js';
import { CommitListeners } from '../commit-listeners.js';
import { newEpoch } from '../epoch-watch.js';
import { type FeedColumns, type RecordColumns, toFacts, toFeedRecord } from '../sql-rows.js';
import {
  type Page,
  type PageQuery,
  type PruneSlice,
  type Saved,
  StoreBusyError,
  type StoreFacts,
  type StoreTransaction,
  type SyncStore,
} from '../sync-store.js';
import { runInScope } from '../transaction-scope.js';
import { answerInTime } from './answer-in-time.js';
import { PostgresAnnouncements } from './postgres-announcements.js';
import { createFunctions, type PostgresFunctions, postgresFunctions } from './postgres-functions.js';
import {
  isContention,
  isDuplicateKey,
  isMissingFunction,
  type PostgresClient,
  type PostgresPool,
} from './postgres-pool.js';
import { prunePostgres } from './postgres-prune.js';
import type { PageColumns } from './postgres-rows.js';
import { migratePostgres, quoteSchema } from './postgres-schema.js';
import { inTransaction, type PostgresSource, takeClient, withClient } from './postgres-session.js';
import { type PostgresStatements, postgresStatements } from './postgres-statements.js';
import { feedRow, PostgresTransaction, StaleLoadError, withReach } from './postgres-transaction.js';

/** The application's pool, and where sync's tables are in its database. */
export interface PostgresStoreOptions {
  /**
   * The application's pool of `pg`; end it after the store. While somebody listens for commits, one of its connections
   * is used for that, so it needs at least two. Give it a `connectionTimeoutMillis`: a connection that falls silent while
   * it is made keeps its place otherwise.
   */
  readonly pool: PostgresPool;
  /**
   * The PostgreSQL schema that holds the tables; created if it is missing. One for each tenant keeps them apart. Default
   * `objectql_sync`.
   */
  readonly schema?: string | undefined;
  /** Milliseconds to wait for a free connection before `StoreBusyError`. Default 5,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Milliseconds to wait for another transaction's lock before trying again. Default 5,000. */
  readonly lockTimeoutMs?: number | undefined;
  /** Ids and timers, for tests. Default: the system's. */
  readonly platform?: Pick<Platform, 'randomId' | 'setTimer'> | undefined;
}

const OPTIONS: OptionKinds<PostgresStoreOptions> = {
  pool: { methods: ['connect', 'on'], expected: 'a Pool of pg', isRequired: true },
  schema: true,
  connectTimeoutMs: DURATION_KIND,
  lockTimeoutMs: DURATION_KIND,
  platform: true,
};
/** 5 s: longer than a healthy push takes, and all tries together stay near the client's 30 s. */
const DEFAULT_TIMEOUT_MS = 5000;
/** 5 runs: contention that lasts longer is congestion, which the client's backoff relieves better. */
const MAX_TRIES = 5;
/** 5 ms before the second run, twice as long before each further one. */
const FIRST_PAUSE_MS = 5;
/** 100: with more walks, planning costs more than they save. */
const MAX_MERGED_OBJECTS = 100;

/**
 * Keeps a sync server's state in PostgreSQL (13 or newer): `new PostgresStore({ pool: new pg.Pool(…) })`. A commit
 * is as durable as the database's `synchronous_commit` makes it; leave that on, because clients do not resend what was
 * answered. A transaction's `handle` is the pool's client, so a resolver's own writes commit with the push.
 */
export class PostgresStore implements SyncStore {
  readonly #source: PostgresSource;
  readonly #schema: string;
  readonly #statements: PostgresStatements;
  readonly #functions: PostgresFunctions;
  readonly #platform: Pick<Platform, 'randomId' | 'setTimer'>;
  readonly #listeners = new CommitListeners();
  readonly #underWay = new Set<Promise<unknown>>();
  #announcements: PostgresAnnouncements | undefined;
  #isOpen = false;

  /**
   * Throws `TypeError` for an unknown option or a value that is not a pool: a misspelt `schema` would mix all tenants.
   */
  constructor(options: PostgresStoreOptions) {
    refuseWrongOptions(options, OPTIONS, 'PostgresStore: ');
    const { pool, schema = 'objectql_sync', platform = systemPlatform } = options;
    const { connectTimeoutMs = DEFAULT_TIMEOUT_MS, lockTimeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#source = { pool, waiting: { connectTimeoutMs, lockTimeoutMs, platform } };
    this.#schema = schema;
    this.#statements = postgresStatements(quoteSchema(schema));
    this.#functions = postgresFunctions(quoteSchema(schema), this.#statements);
    this.#platform = platform;
  }

  async open(): Promise<void> {
    if (this.#isOpen) return;
    // Without a listener, the process ends when an idle connection of the pool breaks, as in a restart of the database.
    this.#source.pool.on('error', ignore);
    try {
      await this.#again(() => this.#migrate());
      this.#listeners.startAt(await this.#again(() => withClient(this.#source, (client) => this.#readHead(client))));
    } catch (error) {
      this.#source.pool.removeListener('error', ignore);
      throw error;
    }
    this.#isOpen = true;
    this.#listen();
  }

  transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#whileOpen((isFirstTry) => this.#try(work, isFirstTry));
  }

  page({ after, limit, objects, epoch: asked }: PageQuery): Promise<Page> {
    const wanted = objects && [...new Set(objects)];
    return this.#whileOpen(() =>
      withClient(this.#source, async (client) => {
        const lastPlace = async (epoch: string) => (await this.#ask(client, this.#statements.lastPlace, [epoch])).rows;
        const told = async (facts: StoreFacts) => withReach(lastPlace, facts, asked);
        if (wanted?.length === 0) return { facts: await told(await this.#readFacts(client)), records: [] };
        const { rows } = await this.#ask(client, ...this.#pageQuery([after, limit], wanted));
        // The statement selects these columns.
        const found = rows as PageColumns[];
        const { epoch, head, feed_floor: floor, version_floor } = feedRow(found);
        const records = found.filter((row): row is PageColumns & RecordColumns => row.place !== null);
        const facts = await told(toFacts({ epoch, head, floor, version_floor }));
        return { facts, records: records.map(toFeedRecord) };
      }),
    );
  }

  prune(slice: PruneSlice): Promise<{ readonly removed: number }> {
    const options = { statements: this.#statements, lockName: `objectql_sync prune ${this.#schema}` };
    return this.#whileOpen(async () => ({ removed: await prunePostgres(this.#source, slice, options) }));
  }

  changeEpoch(): Promise<string> {
    return this.#whileOpen(() =>
      inTransaction(this.#source, async (sql) => {
        const epoch = newEpoch(this.#platform);
        await sql.rows(this.#statements.changeEpoch, [epoch]);
        // The feed is locked now, so no epoch can end unseen.
        await sql.rows(this.#statements.forgetEpochs);
        return epoch;
      }),
    );
  }

  onCommit(listener: (head: number) => void): () => void {
    const stop = this.#listeners.add(listener);
    this.#listen();
    return stop;
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const announcements = this.#announcements;
    this.#announcements = undefined;
    await Promise.allSettled([announcements?.stop(), ...this.#underWay]);
    this.#source.pool.removeListener('error', ignore);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #try<T>(work: (transaction: StoreTransaction) => Promise<T>, isFirstTry: boolean): Promise<T> {
    let saved: Saved;
    const nextEpoch = newEpoch(this.#platform);
    const knownHead = this.#listeners.head;
    const result = await inTransaction(this.#source, async (sql) => {
      const texts = { statements: this.#statements, functions: this.#functions };
      const options = { ...texts, channel: this.#schema, isFirstTry, nextEpoch, knownHead };
      const raw = new PostgresTransaction(sql, options);
      const done = await runInScope(raw, work);
      saved = raw.saved;
      return done;
    });
    if (!saved) return result;
    // What is saved now is behind all that was told before, unless the feed has gone back.
    if (saved.head <= knownHead) this.#listeners.startOver();
    this.#listeners.announce(saved.head);
    return result;
  }

  /** Creates or upgrades the tables and the functions. */
  #migrate(): Promise<void> {
    return inTransaction(this.#source, async (sql) => {
      await migratePostgres(sql, this.#schema, newEpoch(this.#platform));
      await createFunctions(sql, this.#schema, Object.values(this.#functions));
    });
  }

  #pageQuery(bounds: readonly [after: number, limit: number], objects: readonly string[] | undefined) {
    const { page, pageOfObjects, pageOfManyObjects } = this.#statements;
    const query = (text: string, ...more: unknown[]): [string, unknown[]] => [text, [...bounds, ...more]];
    if (!objects) return query(page);
    if (objects.length > MAX_MERGED_OBJECTS) return query(pageOfManyObjects, objects);
    return query(pageOfObjects(objects.length), ...objects);
  }

  /** Queries outside of transactions. */
  #ask(client: PostgresClient, text: string, values?: unknown[]) {
    return answerInTime(client.query(text, values), this.#platform);
  }

  async #readFacts(client: PostgresClient) {
    const { rows } = await this.#ask(client, this.#statements.facts);
    // The statement selects these columns.
    return toFacts(feedRow(rows as FeedColumns[]));
  }

  async #readHead(client: PostgresClient): Promise<number> {
    return (await this.#readFacts(client)).head;
  }

  #listen(): void {
    if (!this.#isOpen || this.#announcements || this.#listeners.isEmpty) return;
    this.#announcements = new PostgresAnnouncements({
      connect: () => takeClient(this.#source.pool, this.#source.waiting),
      channel: quoteSchema(this.#schema),
      readHead: async (client) => (await this.#listeners.look(() => this.#readFacts(client))).head,
      onHead: (head) => this.#listeners.announce(head),
      platform: this.#platform,
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#platform.setTimer(resolve, delayMs));
  }

  async #whileOpen<T>(work: (isFirstTry: boolean) => Promise<T>): Promise<T> {
    if (!this.#isOpen) throw new Error('The store is not open. Call open() first.');
    const running = this.#again(work);
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
    }
  }

  /** Runs `work` until it meets no other transaction in its way, a bounded number of times. */
  async #again<T>(work: (isFirstTry: boolean) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work(attempt === 1);
      } catch (error) {
        // A backup from another release was restored under this process.
        if (isMissingFunction(error) && attempt === 1) await this.#migrate();
        else if (!isContention(error) && !isDuplicateKey(error) && !(error instanceof StaleLoadError)) throw error;
        if (attempt === MAX_TRIES) {
          const message = `The transaction met others in its way ${MAX_TRIES} times. Try again.`;
          throw new StoreBusyError(message, { cause: error });
        }
        await this.#pause(FIRST_PAUSE_MS * 2 ** (attempt - 1));
      }
    }
  }
}

function ignore(): void {}
