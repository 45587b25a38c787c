/** Steps that wait only where there is something to wait for. */

/**
 * What `next` makes of a value: at once where the value is there already, as a push has a thousand mutations, and a promise for
 * each step of each would cost more than deciding them.
 */
export function andThen<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
