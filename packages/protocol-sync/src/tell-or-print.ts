/** Calls an application's listener without trusting it not to fail. */

/**
 * A function that passes messages to `listener`, or prints them when there is none. A listener that fails, at once or
 * later, harms neither its caller nor the process; its message is printed then.
 */
export function tellOrPrint<T>(
  listener: ((told: T) => unknown) | undefined,
  print: (told: T) => void,
): (told: T) => void {
  if (!listener) return print;
  return (told) => {
    // Called at once; an error that it throws becomes a rejection, like one that comes later.
    new Promise((resolve) => resolve(listener(told))).catch(() => print(told));
  };
}
