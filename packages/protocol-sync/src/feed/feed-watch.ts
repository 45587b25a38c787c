/**
 * Tells watchers that the feed has moved, by the checkpoint that every pull ends with. It does not look at records, so it
 * cannot reveal anything of them (I12).
 *
 *   quiet ──commit──▶ telling ──▶ pausing ──time is up──▶ quiet, or telling when something was committed since
 */

import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { inTime } from '../platform/in-time.js';
import type { Platform } from '../platform/platform.js';
import { StoreBusyError, type StoreFacts, type SyncStore } from '../storage/sync-store.js';
import { serverClosing } from '../sync-request-error.js';
import { formatCheckpoint } from './checkpoint.js';

/** Somebody who wants to know when there is something to pull. */
export interface FeedWatcher {
  /** The scope of the watcher's own checkpoint, so that the two can be compared; see `Checkpoint`. */
  readonly scope: string;
  /** Called with the checkpoint of a client that has pulled everything: once at the beginning, and after commits. */
  onPoke(checkpoint: string): void;
  /** Called once when the server closes and no more pokes will come. */
  onEnd(): void;
}

/** 100 ms between two pokes: clients of a busy feed pull no more often, and a person still sees a change at once. */
const POKE_PAUSE_MS = 100;
/** 30 s, as for a request: without a limit, a store that falls silent would keep its watchers waiting. */
export const READ_MS = REQUEST_TIMEOUT_MS;
/** 1 s: a store that could not be read is asked again, but not flooded. */
const FAILED_PAUSE_MS = 1000;

export interface FeedWatchParts {
  readonly store: Pick<SyncStore, 'page' | 'onCommit'>;
  readonly platform: Pick<Platform, 'setTimer'>;
}

export class FeedWatch {
  readonly #parts: FeedWatchParts;
  readonly #watchers = new Set<{ readonly watcher: FeedWatcher; isTold: boolean }>();
  #stopListening: (() => void) | undefined;
  #cancelPause: () => void = () => {};
  /** True while telling or pausing: commits made meanwhile wait and are told together. */
  #isBusy = false;
  #isDue = false;
  #isClosed = false;
  #nextFacts: Promise<StoreFacts> | undefined;
  /** Settles, and never rejects, when the last read for new watchers is over. */
  #lastFacts: Promise<unknown> = Promise.resolve();

  constructor(parts: FeedWatchParts) {
    this.#parts = parts;
  }

  /**
   * Adds a watcher and tells it where the feed stands. Returns a function that removes it; it then hears nothing more.
   */
  async add(watcher: FeedWatcher): Promise<() => void> {
    const entry = { watcher, isTold: false };
    this.#watchers.add(entry);
    // Listens before it reads, so that it hears of commits in between.
    this.#stopListening ??= this.#parts.store.onCommit(() => this.#moved());
    const remove = () => this.#remove(entry);
    try {
      const facts = await this.#sharedFacts();
      if (this.#isClosed) throw serverClosing();
      // A watcher that was told meanwhile knows something newer.
      if (!entry.isTold) tell(entry, facts);
      return remove;
    } catch (error) {
      remove();
      throw error;
    }
  }

  /** Ends all watching, for good. */
  close(): void {
    this.#isClosed = true;
    const entries = [...this.#watchers];
    for (const entry of entries) this.#remove(entry);
    for (const { watcher } of entries) watcher.onEnd();
  }

  #remove(entry: { readonly watcher: FeedWatcher; isTold: boolean }): void {
    this.#watchers.delete(entry);
    if (this.#watchers.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#cancelPause();
    this.#isBusy = false;
    this.#isDue = false;
  }

  #moved(): void {
    this.#isDue = true;
    if (!this.#isBusy) void this.#tellAll();
  }

  async #tellAll(): Promise<void> {
    this.#isBusy = true;
    this.#isDue = false;
    let pauseMs = POKE_PAUSE_MS;
    try {
      const facts = await this.#facts();
      for (const entry of this.#watchers) tell(entry, facts);
    } catch {
      this.#isDue = true;
      pauseMs = FAILED_PAUSE_MS;
    }
    if (this.#watchers.size === 0) return;
    this.#cancelPause();
    this.#cancelPause = this.#parts.platform.setTimer(() => {
      this.#isBusy = false;
      if (this.#isDue) void this.#tellAll();
    }, pauseMs);
  }

  /**
   * One read serves all watchers that came before it begins, and only one runs at a time: after a restart thousands
   * come together, and pushes need the pool's connections, too.
   */
  #sharedFacts(): Promise<StoreFacts> {
    this.#nextFacts ??= this.#lastFacts.then(() => {
      this.#nextFacts = undefined;
      const facts = this.#facts();
      this.#lastFacts = facts.catch(() => {});
      return facts;
    });
    return this.#nextFacts;
  }

  async #facts(): Promise<StoreFacts> {
    const { store, platform } = this.#parts;
    const giveUp = () => new StoreBusyError(`The store has not told for ${READ_MS} ms where the feed stands.`);
    const reading = store.page({ after: 0, limit: 1, objects: [] });
    return (await inTime(reading, { timeoutMs: READ_MS, platform }, giveUp)).facts;
  }
}

function tell(entry: { readonly watcher: FeedWatcher; isTold: boolean }, { epoch, head }: StoreFacts): void {
  entry.isTold = true;
  const { scope } = entry.watcher;
  entry.watcher.onPoke(formatCheckpoint({ epoch, place: head, seen: head, since: 0, scope }));
}
