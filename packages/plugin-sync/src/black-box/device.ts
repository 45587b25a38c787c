/** A test's device: an engine, its clock, its storage and the server it talks to. */
import type { SyncConfig, SyncServerChange } from '@objectql/sync-types';
import { TestPlatform } from '../platform/test-platform.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { SyncEngine, type SyncEngineOptions } from '../sync-engine.js';
import { FaultStorage } from '../testing/fault-storage.js';
import { ScriptedServer, type Step } from './scripted-server.js';

export interface DeviceOptions extends Partial<Omit<SyncEngineOptions, 'config' | 'storage' | 'platform'>> {
  readonly script?: readonly Step[];
  readonly otherwise?: Step;
  readonly config?: Partial<SyncConfig>;
  readonly storage?: FaultStorage;
  readonly platform?: TestPlatform;
}

/** Its jitter is always a half, so that every backoff has one exact length. */
export class HalfJitterPlatform extends TestPlatform {
  override random(): number {
    return 0.5;
  }
}

export function device(options: DeviceOptions = {}) {
  const { script, otherwise, config, ...given } = options;
  const platform = given.platform ?? new HalfJitterPlatform();
  const storage = given.storage ?? new FaultStorage(new MemoryStorage());
  const server = new ScriptedServer(platform, script, otherwise);
  const errors: string[] = [];
  const engine = new SyncEngine({
    clientId: 'device-1',
    transport: server,
    ...given,
    platform,
    storage,
    config: { enabled: true, ...config },
    listeners: [
      ...(given.listeners ?? []),
      {
        onSyncError({ message }) {
          errors.push(message);
        },
      },
    ],
  });
  let count = 0;
  /** Records a change of a record, with another value in each call. */
  const edit = (recordId = 'task-1') => {
    count += 1;
    return engine.recordMutation({
      objectName: 'task',
      recordId,
      operation: 'update',
      data: { title: `Title ${count}` },
      baseVersion: 1,
    });
  };
  /** The record ids of the mutations in each request. */
  const sent = () => server.requests.map(({ mutations }) => mutations.map(({ recordId }) => recordId));
  return { engine, platform, storage, server, errors, edit, sent };
}

/** A change another device made. */
export function change(recordId: string, changed: Partial<SyncServerChange> = {}): SyncServerChange {
  return {
    objectName: 'task',
    recordId,
    operation: 'update',
    data: { title: `Theirs ${recordId}` },
    serverVersion: 1,
    timestamp: '2026-01-01T00:00:00.000Z',
    ...changed,
  };
}
