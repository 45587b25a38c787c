/** A store in memory, gone with the process: for tests, examples and servers that can afford to forget. */
import { type Platform, systemPlatform } from '../../platform/platform.js';
import { CommitListeners } from '../commit-listeners.js';
import { EpochWatch } from '../epoch-watch.js';
import { Mutex } from '../mutex.js';
import type { Page, PageQuery, PruneSlice, Saved, SaveRequest, StoreTransaction, SyncStore } from '../sync-store.js';
import { runInScope } from '../transaction-scope.js';
import { MemoryTables, type SaveRows, toRows } from './memory-tables.js';

/** The source of ids. */
export interface MemoryStoreOptions {
  readonly platform?: Pick<Platform, 'randomId'> | undefined;
}

/**
 * Keeps a sync server's state in this process. Nothing outlives it: when the server restarts, clients get `reset:
 * 'epoch'` and send again what was not settled.
 */
export class MemoryStore implements SyncStore {
  readonly #mutex = new Mutex();
  readonly #listeners = new CommitListeners();
  readonly #platform: Pick<Platform, 'randomId'>;
  readonly #tables = new MemoryTables();
  #epochs: EpochWatch;
  #isOpen = false;

  constructor({ platform = systemPlatform }: MemoryStoreOptions = {}) {
    this.#platform = platform;
    this.#epochs = new EpochWatch(platform);
  }

  /** The epoch begins here and not in the constructor: Workers allow no random values before their first request. */
  async open(): Promise<void> {
    if (this.#tables.facts.epoch === '') this.#tables.beginFeed(this.#epochs.begin());
    // Opening it again stands for another process that opens a copy: tests have no other way.
    else this.#epochs = new EpochWatch(this.#platform);
    this.#isOpen = true;
  }

  transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      const staged: SaveRows[] = [];
      let saved: Saved;
      const raw = {
        handle: undefined,
        load: async (request: Parameters<StoreTransaction['load']>[0]) => this.#tables.load(request),
        save: async (request: SaveRequest) => {
          staged.push(toRows(request));
          const { length } = request.records ?? [];
          if (length === 0) return saved;
          const { epoch, head } = saved ?? this.#tables.facts;
          saved = { head: head + length, epoch: this.#epochs.beginIfDue({ epoch, head }) ?? epoch };
          return saved;
        },
        command: async () => {},
        isFatal: () => false,
      };
      const result = await runInScope(raw, work);
      this.#tables.save(staged, saved?.epoch);
      this.#epochs.met(this.#tables.facts);
      this.#listeners.announce(this.#tables.facts.head);
      return result;
    });
  }

  /** Needs no turn: a transaction's changes are not in the tables before it commits. */
  async page(query: PageQuery): Promise<Page> {
    this.#refuseClosed();
    return { facts: this.#tables.factsFor(query.epoch), records: this.#tables.page(query) };
  }

  prune(slice: PruneSlice): Promise<{ readonly removed: number }> {
    return this.#inTurn(async () => ({ removed: this.#tables.prune(slice) }));
  }

  changeEpoch(): Promise<string> {
    return this.#inTurn(async () => {
      const epoch = this.#epochs.begin();
      this.#tables.beginFeed(epoch);
      return epoch;
    });
  }

  onCommit(listener: (head: number) => void): () => void {
    return this.#listeners.add(listener);
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    await this.#mutex.run(async () => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    return this.#mutex.run(work);
  }

  #refuseClosed(): void {
    if (!this.#isOpen) throw new Error('The store is not open. Call open() first.');
  }
}
