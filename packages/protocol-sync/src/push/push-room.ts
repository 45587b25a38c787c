/**
 * How much of one push is decided. A small mutation may be answered with a large record, so an answer could grow to
 * what no client takes and no string holds, and the same request would fail for ever; and an application may take its time for
 * each. What finds no room is not decided: it is told that it stands behind the last one that was, and comes with the next
 * push, which is half as large. Nothing is held against it, however often that happens.
 */
import type { SyncMutationResult } from '@objectql/sync-types';
import { rejectedResult } from './results.js';

/** 4 Mi characters: four pages, which a phone still reads in the time that a request may take. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

export class PushRoom {
  readonly #isTimeOver: () => boolean;
  #left = MAX_CHARACTERS;
  /** Stays, also when the clock is set back: what is behind must not overtake. */
  #why: string | undefined;

  constructor(isTimeOver: () => boolean) {
    this.#isTimeOver = isTimeOver;
  }

  /** True once nothing more is to be decided; never before the first result. */
  get isFull(): boolean {
    return this.#why !== undefined;
  }

  /** Counts a result in that is going to be answered. */
  take(result: SyncMutationResult): void {
    if (result.status === 'conflict' || (result.status === 'applied' && result.record))
      this.#left -= charactersOf(result);
    this.#why ??= this.#left <= 0 ? FULL : this.#isTimeOver() ? LATE : undefined;
  }

  /** What a mutation is told that finds no room. */
  refuse(mutationId: string): SyncMutationResult {
    return rejectedResult(mutationId, { code: 'BATCH_TOO_LARGE', reason: this.#why ?? LATE });
  }
}

const FULL = 'The answer to this push is full of what the mutations before it met. Send the rest in the next.';
const LATE = 'The server had no time left for this one. Send the rest of this push in the next.';

/** About as many as the value's JSON text has: writing it out would cost more than all else that a result costs. */
function charactersOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 4;
  let characters = 2;
  for (const [key, inner] of Object.entries(value)) characters += key.length + 4 + charactersOf(inner);
  return characters;
}
