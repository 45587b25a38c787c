/** Steps that wait only if there is something to wait for. */

/**
 * Calls `next` with a value: at once if the value is already there. A push has a thousand mutations, and a promise for
 * each step of each would cost more than deciding them.
 */
export function andThen<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
