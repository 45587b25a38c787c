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
    // Newer versions of Node warn of a negative delay.
    let leftMs = Math.max(0, delayMs);
    let timer: ReturnType<typeof setTimeout>;
    const arm = () => {
      const stepMs = Math.min(leftMs, STEP_MS);
      const armedAt = Date.now();
      timer = setTimeout(() => {
        // A clock that was set back must not prolong the wait, so each step counts in full.
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
    // Node, Deno and most edge workers know nothing of their network; some throw at unknown event types.
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
 * 10 s: timers stand still while a device sleeps, so a long wait looks at the clock from time to time. It is also far
 * below the 25 days at which a delay overflows the timer's 32 bits and runs at once.
 */
const STEP_MS = 10_000;

/**
 * 60 s: Chromium may report no network to a page that has one, as behind a VPN, for as long as it is open, and then
 * reports no change: https://github.com/TanStack/query/issues/4772
 */
const TRY_MS = 60_000;

function isSeen(): boolean {
  return page()?.visibilityState !== 'hidden';
}

/** Workers and Node have none. */
function page(): Document | undefined {
  return globalThis.document;
}

/** What the device says of its network; `undefined` if it says nothing, as in Node and React Native. */
function networkFlag(): boolean | undefined {
  // The DOM types promise `navigator.onLine` everywhere, but only browsers have it.
  return (globalThis as { readonly navigator?: { readonly onLine?: boolean } }).navigator?.onLine;
}
