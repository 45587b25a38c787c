/** Two devices and the real server, for what happens between them. */
import type { JsonObject, SyncConfig } from '@objectql/sync-types';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { type Device, type DeviceOptions, device } from './device.js';
import { type RealServer, realServer } from './real-server.js';

export interface TwoDevices {
  readonly server: RealServer;
  /** The clock of the server and of `a`; that of `b` stands still unless moved. */
  readonly platform: TestPlatform;
  readonly a: Device;
  readonly b: Device;
}

/** Two devices that both have task `t1` at version 1; what `a` heard of that is forgotten. */
export async function twoDevices(
  serverOptions: Parameters<typeof realServer>[1] = {},
  clientOptions: Partial<DeviceOptions> = {},
): Promise<TwoDevices> {
  const platform = new TestPlatform();
  const server = realServer(platform, serverOptions);
  const a = device({ ...clientOptions, transport: server.connect().transport, platform, clientId: 'a' });
  const otherPlatform = new TestPlatform({ seed: 2 });
  const b = device({ transport: server.connect().transport, platform: otherPlatform, clientId: 'b' });
  b.tasks.records.create('t1', { title: 'old', status: 'open', due: 'then' });
  await b.tasks.sync();
  await a.tasks.sync();
  a.heard.length = 0;
  return { server, platform, a, b };
}

/** Task `t1` as the server has it; `null` when it is deleted or was never there. */
export async function serverRecord(server: RealServer): Promise<JsonObject | null> {
  const page = await server.handler.store.page({ after: 0, limit: 100 });
  return JSON.parse(page.records.find(({ recordId }) => recordId === 't1')?.data ?? 'null');
}

/** Options of a device whose own strategy this is. */
export function strategyConfig(strategy: NonNullable<SyncConfig['strategy']>): Partial<DeviceOptions> {
  return { defaultConfig: { enabled: true, debounce_ms: 100, strategy } };
}
