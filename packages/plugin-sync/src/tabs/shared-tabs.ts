/** Several tabs, one client: the package's `/tabs` entry. */
import { browserTabHost } from '../platform/browser-tab-host.js';
import type { TabHost } from '../platform/tab-host.js';
import { SyncUsageError } from '../sync-usage-error.js';
import type { Tabs } from './tab-group.js';
import { groupName } from './tab-message.js';
import { TabPeer } from './tab-peer.js';

export type { LockRequest, TabChannel, TabHost } from '../platform/tab-host.js';
export type { Tabs } from './tab-group.js';

/** The browser's locks and channels, or those of a test. */
export interface SharedTabsOptions {
  /** Locks and channel; default: the browser's. For tests. */
  readonly host?: TabHost | undefined;
}

/**
 * Lets all tabs of an app share one storage: any tab records, one of them syncs, and all show the same records and
 * status. Give it to the client of every tab, with a storage of the same name.
 *
 * ```text
 * new SyncPlugin({ clientId, transport, storage: new IndexedDbStorage('my-app'), tabs: sharedTabs() });
 * ```
 *
 * Where the browser has no Web Locks or no BroadcastChannel, each tab syncs for itself: nothing is lost or applied
 * twice, and what other tabs did is seen after this tab's next write or when it is opened again.
 */
export function sharedTabs({ host = browserTabHost() }: SharedTabsOptions = {}): Tabs {
  return {
    join({ storage, platform }) {
      const { sharedName } = storage;
      if (sharedName === undefined) {
        const message = 'tabs needs a storage that tabs can share, such as IndexedDbStorage.';
        throw new SyncUsageError('INVALID_CONFIG', message);
      }
      return host && new TabPeer({ host, platform, storage, name: groupName(sharedName) });
    },
  };
}
