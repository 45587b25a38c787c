/** What IndexedDB tells by events, as promises. */

/** The result of a request. Whoever awaits it may ask for more in the same transaction at once, and not later. */
export function resultOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('The request failed.'));
  });
}

/**
 * Resolves when all of a transaction is stored; rejects when nothing of it is, and, as `InvalidStateError`, when the browser
 * closed the connection meanwhile: Chromium then never tells how the transaction ended.
 */
export function endOf(transaction: IDBTransaction): Promise<void> {
  const { db } = transaction;
  let close = () => {};
  return new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    // A request that fails ends its transaction, which names the reason; one that was aborted on purpose has none.
    transaction.onabort = () => reject(transaction.error ?? new Error('Aborted.'));
    close = () => reject(new DOMException('Closed.', 'InvalidStateError'));
    db.addEventListener('close', close);
  }).finally(() => db.removeEventListener('close', close));
}
