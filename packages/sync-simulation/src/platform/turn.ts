/** The only place where the simulation touches the real event loop and the real clock. */

/** Resolves when every promise chain that waits for nothing outside has run to its end. */
export function endOfTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Milliseconds of real time, for the figures a run reports; nothing in a run depends on them. */
export function realTime(): number {
  return performance.now();
}
