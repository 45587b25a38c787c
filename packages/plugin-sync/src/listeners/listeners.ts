/** Calls an application's listeners so that none can stop sync or another listener. */
import type { SyncConflict, SyncPushResponse, SyncServerChange } from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import { type WaitLimit, waitWithin } from '../platform/wait-within.js';
import { callContained, isThenable } from './call-contained.js';
import type { DroppedFields, SyncEventListener } from './sync-listener.js';

/** 60 s for one page: a listener that never ends must not end sync. */
export const LISTENER_TIMEOUT_MS = 60_000;

/** What listeners are told, by method name. */
export interface Told {
  readonly onSyncStart: undefined;
  readonly onSyncComplete: SyncPushResponse;
  readonly onConflict: readonly SyncConflict[];
  readonly onDropped: readonly DroppedFields[];
}

interface Registration {
  readonly listener: SyncEventListener;
  /** The one object that the listener hears of; all when `undefined`. */
  readonly objectName: string | undefined;
}

export class Listeners {
  /** True once the application's code is no longer waited for. */
  isClosed = false;
  readonly #platform: Platform;
  readonly #onError: (error: Error) => void;
  #registrations: readonly Registration[] = [];
  /** Ends the waits under way. */
  #close = () => {};

  /** `onError` hears every error before the listeners do. */
  constructor(platform: Platform, onError: (error: Error) => void) {
    this.#platform = platform;
    this.#onError = onError;
  }

  /** Tells an error to everybody who wants to know. May be passed on without the object. */
  readonly report = (error: unknown): void => {
    const reported = toError(error);
    this.#onError(reported);
    // What an error listener throws goes to `onError` alone: otherwise the thrower would hear of itself.
    for (const { listener } of this.#registrations) {
      callContained(
        () => listener.onSyncError?.(reported),
        (own) => this.#onError(toError(own)),
      );
    }
  };

  /** Stops waiting for the application's code: that may itself wait for the client to close. */
  close(): void {
    this.isClosed = true;
    this.#close();
  }

  /** Adds a listener, for one object or for all. Adding it again for the same object changes nothing. */
  add(listener: SyncEventListener, objectName?: string): void {
    this.remove(listener, objectName);
    this.#registrations = [...this.#registrations, { listener, objectName }];
  }

  remove(listener: SyncEventListener, objectName?: string): void {
    this.#registrations = this.#registrations.filter(
      (other) => other.listener !== listener || other.objectName !== objectName,
    );
  }

  /** Tells all listeners; each hears those items of a list that are of its object, if there are any. */
  tell<Name extends keyof Told>(name: Name, told: Told[Name]): void {
    for (const { listener, objectName } of this.#registrations) {
      const own = Array.isArray(told) ? ofObject(told, objectName) : told;
      if (Array.isArray(own) && own.length === 0) continue;
      // The compiler does not see that a method takes what is told under its name.
      const hearer = listener as { readonly [Method in Name]?: (told: unknown) => unknown };
      callContained(() => hearer[name]?.(own), this.report);
    }
  }

  /** Hands over server changes; rejects when a listener does, so that they do not count as received. */
  async serverChanges(changes: readonly SyncServerChange[]): Promise<void> {
    for (const { listener, objectName } of this.#registrations) {
      if (!listener.onServerChanges) continue;
      const own = ofObject(changes, objectName);
      const handled = own[0] && listener.onServerChanges(own);
      if (!isThenable(handled)) continue;
      await this.waitFor(handled, {
        timeoutMs: LISTENER_TIMEOUT_MS,
        onLate() {
          throw new Error(
            `A listener for server changes did not end within ${LISTENER_TIMEOUT_MS} ms. Did it await sync()?`,
          );
        },
      });
    }
  }

  /** Resolves with the result of the application's `work`, within a limit; rejects when this is closed before. */
  waitFor<T, Late>(work: PromiseLike<T>, limit: Omit<WaitLimit<Late>, 'platform'>): Promise<T | Late> {
    // One promise for each wait: a shared one would keep everything it was raced with.
    const closed = new Promise<never>((_, reject) => {
      this.#close = () => reject(new Error('The client is closed.'));
    });
    if (this.isClosed) this.#close();
    return waitWithin(Promise.race([work, closed]), { ...limit, platform: this.#platform });
  }
}

interface OfObject {
  readonly objectName: string;
}

/** Copies, because a listener's changes must not change what is stored. */
function ofObject<Item extends OfObject | { readonly mutation: OfObject }>(
  items: readonly Item[],
  objectName: string | undefined,
): readonly Item[] {
  return items.flatMap((item) => (objectName === undefined || objectNameOf(item) === objectName ? { ...item } : []));
}

function objectNameOf(item: OfObject | { readonly mutation: OfObject }): string {
  return 'mutation' in item ? item.mutation.objectName : item.objectName;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
