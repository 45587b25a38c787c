/** A device of a test: a plugin with a clock, a storage and a note of all it was told. */
import type { SyncConfig } from '@objectql/sync-types';
import type { SyncEventListener } from '../../src/listeners/sync-listener.js';
import { TestPlatform } from '../../src/platform/test-platform.js';
import type { SyncEngine } from '../../src/sync-engine.js';
import { SyncPlugin, type SyncPluginOptions } from '../../src/sync-plugin.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import type { SyncTransport } from '../../src/transport/transport.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';

export interface DeviceOptions extends Partial<Omit<SyncPluginOptions, 'transport' | 'platform' | 'storage'>> {
  readonly transport: SyncTransport;
  readonly platform?: TestPlatform;
  readonly storage?: FaultStorage;
}

export interface Device {
  readonly plugin: SyncPlugin;
  readonly tasks: SyncEngine;
  readonly platform: TestPlatform;
  readonly storage: FaultStorage;
  /** What listeners heard, one line an event. */
  readonly heard: string[];
  /** The user's view of all tasks: id to title, or to the record where it has no title. */
  seen(): Promise<Readonly<Record<string, unknown>>>;
}

const CONFIG: SyncConfig = { enabled: true, debounce_ms: 100, batch_size: 50 };

export function device({ transport, platform, storage, listeners = [], ...options }: DeviceOptions): Device {
  const ownPlatform = platform ?? new TestPlatform();
  const ownStorage = storage ?? new FaultStorage(new LastingStorage());
  const heard: string[] = [];
  const plugin = new SyncPlugin({
    clientId: 'device-1',
    defaultConfig: CONFIG,
    ...options,
    transport,
    platform: ownPlatform,
    storage: ownStorage,
    listeners: [...listeners, noteTaker(heard)],
  });
  const tasks = plugin.getEngine('task');
  return {
    plugin,
    tasks,
    platform: ownPlatform,
    storage: ownStorage,
    heard,
    async seen() {
      const records = await tasks.records.list();
      return Object.fromEntries(records.map(({ recordId, data }) => [recordId, data.title ?? data]).sort());
    },
  };
}

function noteTaker(heard: string[]): SyncEventListener {
  return {
    onSyncStart: () => void heard.push('start'),
    onSyncComplete: () => void heard.push('complete'),
    onSyncError: (error) => void heard.push(`error: ${error.message}`),
    onConflict: (conflicts) => void heard.push(`conflict: ${conflicts.map(({ recordId }) => recordId)}`),
    onServerChanges: (changes) => void heard.push(`changes: ${changes.map(({ recordId }) => recordId)}`),
    onDropped: (dropped) =>
      void heard.push(
        `dropped: ${dropped.map(({ mutation, droppedFields }) => `${mutation.recordId}.${droppedFields}`)}`,
      ),
  };
}
