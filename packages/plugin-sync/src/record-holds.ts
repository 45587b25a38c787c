/** Records whose next try must wait, and whether others passed meanwhile. */
import { recordKey } from '@objectql/sync-types';
import type { AnswerPlan } from './plan-answer.js';
import type { Platform } from './platform/platform.js';
import { backoffMs } from './sync-state.js';

interface Held {
  readonly until: number;
  readonly failures: number;
}

/** A retryable rejection holds its own record and nothing else. Forgotten with the process: the next try finds out anew. */
export class RecordHolds {
  readonly #platform: Platform;
  readonly #heldByKey = new Map<string, Held>();
  /** How many mutations had been settled when this one was last tried. */
  readonly #settledAtTry = new Map<string, number>();
  #settled = 0;

  constructor(platform: Platform) {
    this.#platform = platform;
  }

  isHeld(key: string): boolean {
    const held = this.#heldByKey.get(key);
    return held !== undefined && held.until > this.#platform.now();
  }

  /** True when another mutation was settled since this one was last tried. */
  othersPassed(id: string): boolean {
    return (this.#settledAtTry.get(id) ?? this.#settled) < this.#settled;
  }

  /** When the first held record may be tried again, epoch milliseconds; `null` when none is held. */
  nextExpiry(): number | null {
    const times = [...this.#heldByKey.values()].map(({ until }) => until);
    return times.length === 0 ? null : Math.min(...times);
  }

  /** Takes over what an answer said of the mutations it was for. */
  learn({ holds, batch }: AnswerPlan, tried: number): void {
    this.#settled += tried - holds.length;
    for (const id of batch.removeEntries ?? []) this.#settledAtTry.delete(id);
    const failuresByKey = new Map([...this.#heldByKey].map(([key, { failures }]) => [key, failures]));
    const now = this.#platform.now();
    for (const [key, { until }] of this.#heldByKey) if (until <= now) this.#heldByKey.delete(key);
    for (const { entry, retryAfterMs } of holds) {
      this.#settledAtTry.set(entry.mutation.id, this.#settled);
      const key = recordKey(entry.mutation);
      // One answer may hold several mutations of a record; the first of them says for how long.
      if (this.#heldByKey.has(key)) continue;
      const failures = (failuresByKey.get(key) ?? 0) + 1;
      const delayMs = Math.max(retryAfterMs ?? 0, backoffMs(failures, this.#platform.random()));
      this.#heldByKey.set(key, { until: now + delayMs, failures });
    }
  }
}
