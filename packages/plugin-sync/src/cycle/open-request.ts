/** A request that is under way, and the one that went out behind it before its answer was read. */
import type { SyncPushResponse } from '@objectql/sync-types';
import type { StoredEntry } from '../storage/client-storage.js';
import type { TransportOptions } from '../transport/transport.js';
import type { Ask, Exchanged } from './exchange.js';

/** Under way from the moment it is made. */
export class OpenRequest implements Ask {
  readonly sent: readonly StoredEntry[];
  readonly checkpoint: string | null;
  readonly #exchanging: Promise<Exchanged>;
  /** The checkpoint of the answer, told before the answer is there; it may never be. */
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
    // Looked at when what came before is stored; until then a failure is nobody's.
    this.#exchanging.catch(() => {});
  }

  /** What `read` has asked behind this request, if the answer bears out the checkpoint it was asked with. */
  get behind(): OpenRequest | undefined {
    return this.#behind;
  }

  /**
   * Waits for the answer. `askBehind` is called at most once, before the answer is there, with the checkpoint that it is
   * announced to have.
   */
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

  /** Waits for it, however it ends: mutations must not be under way twice. */
  async end(): Promise<void> {
    await this.#exchanging.catch(() => {});
  }

  /** What was asked by a wrong announcement, or behind an answer that never came, is of no use. */
  async #drop(): Promise<void> {
    await this.#behind?.end();
    this.#behind = undefined;
  }
}

/** True for an answer in which nothing can change what is to be asked behind it. */
export function isPlain({ results, reset }: Pick<SyncPushResponse, 'results' | 'reset'>): boolean {
  return !reset && results.every(({ status }) => status === 'applied');
}
