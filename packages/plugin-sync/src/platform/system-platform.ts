/** The device itself: its clock, randomness, timers and network, in browsers, workers, Node and on the edge. */
import type { Platform } from './platform.js';
import { uuidv7 } from './uuidv7.js';

/**
 * The platform everything runs on unless it is given another.
 *
 * Its timers keep a Node process alive. A script that records a mutation and comes to its end still sends it, where an
 * unreferenced timer would let Node exit in the middle of the debounce. The price is that a client which is never
 * closed keeps its process running while it has work to do: close the client when the script is done.
 */
export const systemPlatform: Platform = {
  now: () => Date.now(),
  random: () => Math.random(),
  newId: () => uuidv7(Date.now()),
  setTimer(work, delayMs) {
    // Newer versions of Node warn of a delay that is negative.
    let leftMs = Math.max(0, delayMs);
    let timer: ReturnType<typeof setTimeout>;
    const arm = () => {
      const stepMs = Math.min(leftMs, STEP_MS);
      const armedAt = Date.now();
      timer = setTimeout(() => {
        // A clock that was set back must not make it wait, so the step counts in any case.
        leftMs -= Math.max(stepMs, Date.now() - armedAt);
        if (leftMs > 0) arm();
        else work();
      }, stepMs);
    };
    arm();
    return () => clearTimeout(timer);
  },
  isOnline: () => networkFlag() !== false,
  onConnectivity(listener) {
    // Node, Deno and most edge workers know nothing of their network; some of them throw at unknown event types.
    if (networkFlag() === undefined || !globalThis.addEventListener) return () => {};
    const stop = new AbortController();
    const { signal } = stop;
    const tell = () => listener(networkFlag() !== false);
    globalThis.addEventListener('online', tell, { signal });
    globalThis.addEventListener('offline', tell, { signal });
    page()?.addEventListener('visibilitychange', () => isSeen() && tell(), { signal });
    const tries = setInterval(() => networkFlag() || listener(true), TRY_MS);
    return () => {
      clearInterval(tries);
      stop.abort();
    };
  },
  isSeen,
};

/**
 * 10 s: the timers of a device that sleeps stand still, so a long wait looks at the clock from time to time. It is also
 * far below the 25 days at which a delay overflows the timer's 32 bits and would run at once.
 */
const STEP_MS = 10_000;

/**
 * 60 s: Chromium may say that there is no network for as long as a page is open that has one, as behind a VPN, and then tells of
 * none that comes: https://github.com/TanStack/query/issues/4772
 */
const TRY_MS = 60_000;

function isSeen(): boolean {
  return page()?.visibilityState !== 'hidden';
}

/** Workers and Node have none. */
function page(): Document | undefined {
  return globalThis.document;
}

/** What the device says of its network; `undefined` where it says nothing, as in Node and React Native. */
function networkFlag(): boolean | undefined {
  // The DOM types promise `navigator.onLine` everywhere, which holds in browsers only.
  return (globalThis as { readonly navigator?: { readonly onLine?: boolean } }).navigator?.onLine;
}
