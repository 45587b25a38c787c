/** Turns IndexedDB's events into promises. */
import type { Platform } from '../platform/platform.js';

/** The result of a request. After awaiting it, ask for more in the same transaction at once, not later. */
export function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Resolves when all of a transaction is stored; rejects when nothing of it is. After an `InvalidStateError` nobody can
 * tell: the browser closed the connection meanwhile, and Chromium then never tells how the transaction ended. Nor after
 * a `TimeoutError` when it was about to commit; before that, it is ended with nothing stored.
 */
export function endOf(transaction: IDBTransaction, platform: Platform): Promise<void> {
  const { db } = transaction;
  let forget = () => {};
  return new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    // A failing request ends its transaction, which names the reason; one aborted on purpose has none.
    transaction.onabort = () => reject(transaction.error ?? new Error('Aborted.'));
    const close = () => reject(new DOMException('Closed.', 'InvalidStateError'));
    let isAnswered = true;
    let cancel = () => {};
    const wait = () => {
      if (isAnswered) cancel = platform.setTimer(wait, SILENCE_MS);
      else {
        reject(new DOMException('Late.', 'TimeoutError'));
        abort(transaction);
      }
      isAnswered = false;
    };
    wait();
    // The event of each finished request passes here on its way to the caller.
    transaction.addEventListener(
      'success',
      () => {
        isAnswered = true;
      },
      true,
    );
    db.addEventListener('close', close);
    forget = () => {
      cancel();
      db.removeEventListener('close', close);
    };
  }).finally(() => forget());
}

/** Aborts a transaction with nothing stored, unless it has ended or is about to commit. */
export function abort(transaction: IDBTransaction): void {
  try {
    transaction.abort();
  } catch {
    // It is too late, or a failed request has aborted it already.
  }
}

/**
 * 30 s: enough for one request on a slow device, and for what other tabs do before it. Without a limit, a page that
 * WebKit suspends in the middle of a transaction keeps all others waiting:
 * https://bugs.webkit.org/show_bug.cgi?id=315804
 */
const SILENCE_MS = 30_000;
