/** Tells the listeners of other tabs what the leader's hear, except server changes, which must arrive once. */
import type { Listeners, Told } from '../listeners/listeners.js';
import type { SyncEventListener } from '../listeners/sync-listener.js';
import type { TabEvent } from './tab-message.js';

const RELAYED = ['onSyncStart', 'onSyncComplete', 'onConflict', 'onDropped'] as const satisfies readonly (keyof Told)[];

/** A listener that tells `post` what it hears. */
export function relay(post: (event: TabEvent) => unknown): SyncEventListener {
  return {
    ...Object.fromEntries(RELAYED.map((on) => [on, (told: never) => post({ on, told })])),
    onSyncError: ({ code, message }: Error & { readonly code?: unknown }) =>
      // The newer tab that has upgraded the storage must not hear that its page is to be reloaded.
      code !== 'TOO_NEW' && post({ on: 'onSyncError', told: message }),
  };
}

/** Tells this tab's listeners what the leader's heard. */
export function tellListeners(listeners: Listeners, { on, told }: TabEvent): void {
  if (on === 'onSyncError') listeners.report(new Error(told));
  else listeners.tell<keyof Told>(on, told);
}
