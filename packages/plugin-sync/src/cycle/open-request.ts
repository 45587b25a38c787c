/** A request that is under way, and the one that went out behind it before its answer was read. */
import type { SyncPushResponse } from '@objectql/sync-types';
import type { StoredEntry } from '../storage/client-storage.js';
import type { TransportOptions } from '../transport/transport.js';
import type { Ask, Exchanged } from './exchange.js';

/** Starts when it is constructed. */
export class OpenRequest implements Ask {
  readonly sent: readonly StoredEntry[];
  readonly checkpoint: string | null;
  readonly #exchanging: Promise<Exchanged>;
  /** Resolves with the answer's checkpoint before the answer is there, or never. */
  readonly #announced: Promise<string>;
  #behind: OpenRequest | undefined;

  constructor(ask: Ask, exchange: (options: Pick<TransportOptions, 'onNextPage'>) => Promise<Exchanged>) {
    this.sent = ask.sent;
    this.checkpoint = ask.checkpoint;
    let announce: TransportOptions['onNextPage'];
    this.#announced = new Promise((resolve) => {
      announce = resolve;
    });
    this.#exchanging = exchange({ onNextPage: announce });
    // Awaited once the answer before it is stored. Until then its failure must not count as unhandled.
    this.#exchanging.catch(() => {});
  }

  /** The request that `read` sent behind this one, if the answer has the announced checkpoint. */
  get behind(): OpenRequest | undefined {
    return this.#behind;
  }

  /** Waits for the answer. If the answer's checkpoint is announced before that, calls `askBehind` with it, once. */
  async read(askBehind: (checkpoint: string) => OpenRequest | undefined): Promise<Exchanged> {
    let isRead = false;
    void this.#announced.then((checkpoint) => {
      if (!isRead) this.#behind = askBehind(checkpoint);
    });
    let isBorneOut = false;
    try {
      const exchanged = await this.#exchanging;
      const { answer } = exchanged;
      isBorneOut = answer.checkpoint === this.#behind?.checkpoint && isPlain(answer);
      return exchanged;
    } finally {
      isRead = true;
      if (!isBorneOut) await this.#drop();
    }
  }

  /** Waits until it has ended, however that was: mutations must not be under way twice. */
  async end(): Promise<void> {
    await this.#exchanging.catch(() => {});
  }

  /** A request made on a wrong announcement, or behind an answer that never came, is of no use. */
  async #drop(): Promise<void> {
    await this.#behind?.end();
    this.#behind = undefined;
  }
}

/** True for an answer that cannot change what to ask behind it. */
export function isPlain({ results, reset }: Pick<SyncPushResponse, 'results' | 'reset'>): boolean {
  return !reset && results.every(({ status }) => status === 'applied');
}
