/** Decides when a process must begin its own epoch: the store it opened may be a copy of one that others still use. */
import type { Platform } from '../platform/platform.js';
import type { StoreFacts } from './sync-store.js';

/** 12 characters, the last group of a UUID: 48 random bits tell the epochs of a feed and of its copies apart. */
const EPOCH_LENGTH = 12;
/** 1,000: each is one short row, and a device whose epoch was dropped starts over without its bases. */
export const KEPT_EPOCHS = 1000;

/** A new epoch's id. It is part of each checkpoint, so it is short. */
export function newEpoch(platform: Pick<Platform, 'randomId'>): string {
  return platform.randomId().slice(-EPOCH_LENGTH);
}

/** One process's own view of the feed's epochs, for a store that cannot tell a copy from its original. */
export class EpochWatch {
  readonly #platform: Pick<Platform, 'randomId'>;
  /** The last epoch that this process began; a rollback may have undone it. */
  #begun: string | undefined;
  /** True once that epoch is known to be committed, whatever others have begun since. */
  #isKept = false;
  #head = 0;

  constructor(platform: Pick<Platform, 'randomId'>) {
    this.#platform = platform;
  }

  /** An id for a new epoch of the feed, to be committed by this process. */
  begin(): string {
    this.#isKept = false;
    this.#begun = newEpoch(this.#platform);
    return this.#begun;
  }

  /**
   * The epoch to begin with the next place, if one is due: with this process's first place, and when the feed reaches a
   * place for the second time, because it was restored meanwhile. `undefined` while the present one goes on.
   */
  beginIfDue({ epoch, head }: Pick<StoreFacts, 'epoch' | 'head'>): string | undefined {
    const isOwn = this.#isKept || epoch === this.#begun;
    return isOwn && head >= this.#head ? undefined : this.begin();
  }

  /** Notes what is committed. True when it shows that the feed has gone back and continues from there. */
  met({ epoch, head }: Pick<StoreFacts, 'epoch' | 'head'>): boolean {
    const before = this.#head;
    const isFirstOfOwn = !this.#isKept && epoch === this.#begun;
    this.#isKept ||= isFirstOfOwn;
    this.#head = isFirstOfOwn ? head : Math.max(before, head);
    return this.#head < before;
  }
}
