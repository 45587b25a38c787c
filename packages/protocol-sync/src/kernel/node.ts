/** `createKernel` for a sync server in Node: ObjectStack's own kernel. The package's `/kernel` entry. */
import { createObjectStackKernel, type KernelOptions, type KernelPlugin } from '@objectql/sync-types/kernel';
import type { SyncProtocolKernel } from './sync-protocol-kernel.js';

export type { SyncProtocolKernel } from './sync-protocol-kernel.js';

/**
 * ObjectStack's kernel with these plugins. Needs `@objectstack/runtime`, which is loaded at `start`:
 * `const kernel = createKernel({ plugins: [new SyncProtocolPlugin()] }); await kernel.start();`
 */
export function createKernel<Plugin extends KernelPlugin>(options: KernelOptions<Plugin>): SyncProtocolKernel<Plugin> {
  const kernel = createObjectStackKernel(options, () => import('@objectstack/runtime'));
  // A cast, because the plugin adds `syncProtocol` to the kernel, and only once it is started.
  return kernel as SyncProtocolKernel<Plugin>;
}
