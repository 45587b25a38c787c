/**
 * How much of one push is decided. A small mutation may be answered with a large record, so an answer could become too
 * large for a client or a string, and the same request would fail for ever; and the application may take its time for
 * each. A mutation that finds no room is not decided, and comes with the next push, which is half as large. This may
 * happen any number of times and is not counted against it.
 */
import type { SyncMutationResult } from '@objectql/sync-types';
import type { Rejection } from './results.js';

/** 4 Mi characters: four pages, which a phone can still read within the request timeout. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

export class PushRoom {
  readonly #isTimeOver: () => boolean;
  #left = MAX_CHARACTERS;
  /** Stays set, even if the clock is set back: later mutations must not overtake. */
  #refusal: Rejection | undefined;

  constructor(isTimeOver: () => boolean) {
    this.#isTimeOver = isTimeOver;
  }

  /**
   * Why the next mutation is not decided; `undefined` while there is room. The first one is `BUSY`: alone in its next
   * push, one that is `BATCH_TOO_LARGE` would be given up as too large.
   */
  refusal(): Rejection | undefined {
    return this.#refusal ?? (this.#isTimeOver() ? LATE_AT_FIRST : undefined);
  }

  /** Counts a result that will be answered. */
  take(result: SyncMutationResult): void {
    if (result.status === 'conflict' || (result.status === 'applied' && result.record))
      this.#left -= charactersOf(result);
    this.#refusal ??= this.#left <= 0 ? FULL : this.#isTimeOver() ? LATE : undefined;
  }
}

const FULL = {
  code: 'BATCH_TOO_LARGE',
  reason: 'The answer to this push is full of what the mutations before it met. Send the rest in the next.',
} as const;
const LATE = {
  code: 'BATCH_TOO_LARGE',
  reason: 'The server had no time left for this one. Send the rest of this push in the next.',
} as const;
const LATE_AT_FIRST = { code: 'BUSY', reason: 'The server had no time left for this one. Send it again.' } as const;

/** Roughly the length of the value as JSON text; writing the text would cost more than everything else in a result. */
function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 4;
  let characters = 2;
  for (const [key, inner] of Object.entries(value)) characters += key.length + 4 + charactersOf(inner);
  return characters;
}
