/** `createKernel` for a sync server where ObjectStack's kernel cannot run: workers, browsers. The `/kernel` entry there. */
import { createSmallKernel, type KernelOptions, type KernelPlugin } from '@objectql/sync-types/kernel';
import type { SyncProtocolKernel } from './sync-protocol-kernel.js';

export type { SyncProtocolKernel } from './sync-protocol-kernel.js';

/** A small kernel with these plugins, which uses the same plugin contract as ObjectStack's. */
export function createKernel<Plugin extends KernelPlugin>(options: KernelOptions<Plugin>): SyncProtocolKernel<Plugin> {
  // A cast, because the plugin adds `syncProtocol` to the kernel, and only once it is started.
  return createSmallKernel(options) as SyncProtocolKernel<Plugin>;
}
