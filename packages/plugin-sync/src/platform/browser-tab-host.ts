/** The browser itself: Web Locks and BroadcastChannel. */
import { whileFrozen } from './page-freeze.js';
import type { TabHost } from './tab-host.js';

/** The tabs of this browser; `undefined` if it has no Web Locks or no BroadcastChannel. */
export function browserTabHost(): TabHost | undefined {
  const { navigator, BroadcastChannel: Channel, document } = globalThis as Partial<typeof globalThis>;
  const locks = navigator?.locks;
  if (!locks || !Channel) return undefined;
  return {
    requestLock(name, { steal, onGranted, onLost }) {
      const waiting = new AbortController();
      let isOver = false;
      let release = () => {};
      const hold = new Promise<void>((resolve) => {
        release = resolve;
      });
      const { signal } = waiting;
      const lost = () => isOver || onLost();
      const granted = () => {
        if (isOver) return undefined;
        // A frozen page hears messages, but not that its lock is stolen: it would go on as its holder.
        document?.addEventListener('freeze', lost, { signal });
        onGranted();
        return hold;
      };
      const ask = async () => {
        // A page that asks while it is left is not kept for the way back.
        await whileFrozen();
        // A stealing request must not carry a signal.
        await locks.request(name, steal ? { steal } : { signal }, granted);
      };
      ask().catch(lost);
      return () => {
        isOver = true;
        release();
        waiting.abort();
      };
    },
    openChannel(name, onMessage) {
      const channel = new Channel(name);
      channel.onmessage = ({ data }) => onMessage(data);
      return { post: (message) => channel.postMessage(message), close: () => channel.close() };
    },
    isVisible: () => document?.visibilityState !== 'hidden',
  };
}
