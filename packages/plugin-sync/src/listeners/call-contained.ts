/** Calls of the application's code that harm nobody when they fail. */

/** Calls what may throw or, being asynchronous, reject later; either is reported and stays contained. */
export function callContained(call: () => unknown, onFailed: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isThenable(returned)) Promise.resolve(returned).catch(onFailed);
  } catch (error) {
    onFailed(error);
  }
}

/** True for what can be awaited, whichever library or frame it comes from. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
