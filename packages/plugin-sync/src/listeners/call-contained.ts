/** Calls the application's code so that its failures do no harm. */

/** Calls what may throw, or reject later; either is reported and goes no further. */
export function callContained(call: () => unknown, onFailed: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isThenable(returned)) Promise.resolve(returned).catch(onFailed);
  } catch (error) {
    onFailed(error);
  }
}

/** True for anything that can be awaited, whatever library or frame it comes from. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as { readonly then?: unknown } | null | undefined)?.then === 'function';
}
