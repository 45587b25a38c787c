/** Repeats work in the background. */

/**
 * Does `work` now, and again `pauseMs` after it has ended. Its timer keeps no process alive. The returned function ends
 * the repetition and resolves once no work is under way. `work` must not reject.
 */
export function repeatInBackground(work: () => Promise<void>, pauseMs: number): () => Promise<void> {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let underWay = Promise.resolve();

  function run(): void {
    underWay = work().then(() => {
      if (stopped) return;
      timer = setTimeout(run, pauseMs);
      // On platforms where timers are plain numbers, there is no process to keep alive.
      if (typeof timer === 'object') timer.unref();
    });
  }

  run();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await underWay;
  };
}
