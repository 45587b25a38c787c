/** Records whose next try must wait, and whether other mutations passed meanwhile. */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import { retryDelayMs } from '../cycle/backoff.js';
import type { Platform } from '../platform/platform.js';
import type { StoredEntry } from '../storage/client-storage.js';
import type { Hold } from './outcome-plan.js';

interface Held {
  readonly since: number;
  readonly until: number;
  readonly failures: number;
  readonly isPutOff: boolean | undefined;
}

/** Records that were put off go last, also once their hold has ended. */
export type Turn = 'first' | 'last';

/**
 * A retryable rejection holds only its own record. Holds are forgotten with the process: the next try finds out anew.
 */
export class RecordHolds {
  readonly #platform: Platform;
  readonly #heldByKey = new Map<string, Held>();
  /** How many mutations had been settled when this one was last tried. */
  readonly #settledAtTry = new Map<string, number>();
  #settled = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  /**
   * Tells which records are held at this one moment: a hold that ends while a batch is chosen would change its order.
   * While it is not the turn of those that go last, they are held too.
   */
  heldNow(turn: Turn): (ref: RecordRef) => boolean {
    if (this.#heldByKey.size === 0) return () => false;
    const now = this.#platform.now();
    return (ref) => {
      const held = this.#heldByKey.get(recordKey(ref));
      return held !== undefined && ((held.isPutOff && turn === 'first') || isWithin(held, now));
    };
  }

  /** True when another mutation was settled since this one was last tried. */
  othersPassed(mutationId: string): boolean {
    return (this.#settledAtTry.get(mutationId) ?? this.#settled) < this.#settled;
  }

  /** When the first held record may be tried again, epoch milliseconds; `null` when none is held. */
  nextExpiry(): number | null {
    const now = this.#platform.now();
    const times = [...this.#heldByKey.values()].filter((held) => isWithin(held, now)).map(({ until }) => until);
    return times.sort((one, other) => one - other)[0] ?? null;
  }

  /** Releases the records of those entries whose ids are in `settled`. */
  release(entries: readonly StoredEntry[], settled: Pick<ReadonlySet<string>, 'has' | 'size'>): void {
    this.#settled += settled.size;
    // Nearly always none is held.
    if (this.#settledAtTry.size === 0) return;
    for (const { mutation } of entries) {
      if (!settled.has(mutation.id)) continue;
      this.#settledAtTry.delete(mutation.id);
      this.#heldByKey.delete(recordKey(mutation));
    }
  }

  /**
   * Holds the records of mutations that could not be taken now, each longer with each failure. Call it after `release`.
   */
  hold(holds: readonly Hold[]): void {
    if (holds.length === 0) return;
    const held = new Set<string>();
    const since = this.#platform.now();
    // One jitter for all: otherwise records that all fail come due one by one, and the server is asked without a pause.
    const jitter = this.#platform.random();
    for (const { entry, retryAfterMs, isPutOff } of holds) {
      this.#settledAtTry.set(entry.mutation.id, this.#settled);
      const key = recordKey(entry.mutation);
      // One answer may hold several mutations of a record; the first says for how long.
      if (held.has(key)) continue;
      held.add(key);
      const failures = (this.#heldByKey.get(key)?.failures ?? 0) + 1;
      const until = since + retryDelayMs(retryAfterMs, failures, jitter);
      this.#heldByKey.set(key, { since, until, failures, isPutOff });
    }
  }
}

/** If the clock was set back to before the hold began, its end is meaningless: the record is tried at once. */
function isWithin({ since, until }: Held, now: number): boolean {
  return since <= now && now < until;
}
