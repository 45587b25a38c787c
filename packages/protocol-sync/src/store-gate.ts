/** Lets a handler's work reach the store from the first request until the server closes. */
import { StoreBusyError, type SyncStore } from './storage/sync-store.js';
import { SyncRequestError, serverClosing } from './sync-request-error.js';

/** 1 s: a store that is busy is usually free again by then. */
const BUSY_RETRY_MS = 1000;

export class StoreGate {
  readonly #store: Pick<SyncStore, 'open' | 'close'>;
  #isClosed = false;
  #opened: Promise<void> | undefined;

  constructor(store: Pick<SyncStore, 'open' | 'close'>) {
    this.#store = store;
  }

  /** True once nothing more is let in. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Opens the store, once. Throws `SyncRequestError` `BUSY` after `close`. */
  async open(): Promise<void> {
    if (this.#isClosed) throw serverClosing();
    this.#opened ??= this.#store.open().catch((error: unknown) => {
      // The database may have been down at the first request and be up at the next.
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  /**
   * Does what a client asks for, with the store open. Throws `SyncRequestError` `BUSY`, on which clients come again, when
   * the store is busy, or closed at any step of it.
   */
  async serve<T>(work: () => Promise<T>): Promise<T> {
    try {
      await this.open();
      return await work();
    } catch (error) {
      if (this.#isClosed) throw serverClosing();
      if (!(error instanceof StoreBusyError)) throw error;
      const message = 'The store is busy. Nothing is lost; send the same request again.';
      throw new SyncRequestError('BUSY', message, { cause: error, retryAfterMs: BUSY_RETRY_MS });
    }
  }

  /** Lets nothing more in, and closes the store. */
  async close(): Promise<void> {
    this.#isClosed = true;
    // Otherwise a store that the first request is still opening would stay open.
    await this.#opened?.catch(() => {});
    await this.#store.close();
  }
}
