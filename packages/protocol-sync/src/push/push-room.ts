/**
 * How much of one push is decided. A small mutation may be answered with a large record, so an answer could become too
 * large for a client or a string, and the same request would fail for ever; and the application may take its time for
 * each. A mutation that finds no room is not decided, and comes with the next push, which is half as large. This may
 * happen any number of times and is not counted against it.
 */
import type { SyncMutationResult } from '@objectql/sync-types';
import { rejectedResult } from './results.js';

/** 4 Mi characters: four pages, which a phone can still read within the request timeout. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

export class PushRoom {
  readonly #isTimeOver: () => boolean;
  #left = MAX_CHARACTERS;
  /** Stays set, even if the clock is set back: later mutations must not overtake. */
  #why: string | undefined;

  constructor(isTimeOver: () => boolean) {
    this.#isTimeOver = isTimeOver;
  }

  /** True once nothing more is to be decided; never before the first result. */
  get isFull(): boolean {
    return this.#why !== undefined;
  }

  /** Counts a result that will be answered. */
  take(result: SyncMutationResult): void {
    if (result.status === 'conflict' || (result.status === 'applied' && result.record))
      this.#left -= charactersOf(result);
    this.#why ??= this.#left <= 0 ? FULL : this.#isTimeOver() ? LATE : undefined;
  }

  /** The result of a mutation that finds no room. */
  refuse(mutationId: string): SyncMutationResult {
    return rejectedResult(mutationId, { code: 'BATCH_TOO_LARGE', reason: this.#why ?? LATE });
  }
}

const FULL = 'The answer to this push is full of what the mutations before it met. Send the rest in the next.';
const LATE = 'The server had no time left for this one. Send the rest of this push in the next.';

/** Roughly the length of the value as JSON text; writing the text would cost more than everything else in a result. */
function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 4;
  let characters = 2;
  for (const [key, inner] of Object.entries(value)) characters += key.length + 4 + charactersOf(inner);
  return characters;
}
