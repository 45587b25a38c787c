/** An engine's handle on loan. */

/**
 * The handle, usable until `isOver()`, as are the statements that it prepares. Otherwise a resolver that goes on after
 * its time is up would write into whatever transaction is then open on the same connection.
 */
export function leaseHandle(handle: unknown, isOver: () => boolean): unknown {
  if (typeof handle !== 'object' || handle === null) return handle;
  const owner = handle;
  // The proxy's target is a stand-in: a frozen handle would not allow answering with bound functions.
  return new Proxy(Object.create(Object.getPrototypeOf(owner)), {
    get(_, key) {
      const value: unknown = Reflect.get(owner, key, owner);
      if (typeof value !== 'function') return value;
      // Called on the owner, because handles with native or private parts refuse a proxy as `this`.
      return (...parameters: readonly unknown[]) => {
        refuseOver(isOver);
        const result: unknown = Reflect.apply(value, owner, parameters);
        return isStatement(result) ? leaseHandle(result, isOver) : result;
      };
    },
    set(_, key, value) {
      refuseOver(isOver);
      return Reflect.set(owner, key, value, owner);
    },
    has: (_, key) => Reflect.has(owner, key),
  });
}

/** Whether it writes as its handle does. */
function isStatement(value: unknown): boolean {
  return typeof Object(value).run === 'function';
}

function refuseOver(isOver: () => boolean): void {
  if (!isOver()) return;
  throw new Error('The transaction of this handle has ended: nothing was written. Write before your resolver returns.');
}
