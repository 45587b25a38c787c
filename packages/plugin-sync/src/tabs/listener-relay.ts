/** What the leader's listeners hear, the listeners of the other tabs hear too; all but server changes, which arrive once. */
import { assertNever } from '@objectql/sync-types';
import type { Listeners } from '../listeners.js';
import type { SyncEventListener } from '../sync-listener.js';
import type { TabEvent } from './tab-message.js';

/** A listener that tells `post` what it hears. */
export function relay(post: (event: TabEvent) => unknown): SyncEventListener {
  return {
    onSyncStart: () => post({ on: 'start' }),
    onSyncComplete: (response) => post({ on: 'complete', response }),
    onSyncError: ({ message }) => post({ on: 'error', message }),
    onConflict: (conflicts) => post({ on: 'conflict', conflicts }),
    onDropped: (dropped) => post({ on: 'dropped', dropped }),
  };
}

/** Tells this tab's listeners what the leader's heard. */
export function tellListeners(listeners: Listeners, event: TabEvent): void {
  switch (event.on) {
    case 'start':
      return listeners.started();
    case 'complete':
      return listeners.completed(event.response);
    case 'error':
      return listeners.report(new Error(event.message));
    case 'conflict':
      return listeners.conflicts(event.conflicts);
    case 'dropped':
      return listeners.dropped(event.dropped);
    default:
      return assertNever(event);
  }
}
