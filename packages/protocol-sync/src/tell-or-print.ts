/** Telling an application what it asked to be told, without trusting it to bear that. */

/**
 * What tells `listener`, or prints where there is none. A listener that fails, at once or later, harms neither what is told of
 * nor the process; what it was to be told is printed then.
 */
export function tellOrPrint<T>(
  listener: ((told: T) => unknown) | undefined,
  print: (told: T) => void,
): (told: T) => void {
  if (!listener) return print;
  return (told) => {
    // Called at once; what it throws becomes a rejection, as what it rejects with later is.
    new Promise((resolve) => resolve(listener(told))).catch(() => print(told));
  };
}
