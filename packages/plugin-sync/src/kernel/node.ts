/** `createKernel` for a sync client in Node: ObjectStack's own kernel. The package's `/kernel` entry. */
import { createObjectStackKernel, type KernelOptions, type KernelPlugin } from '@objectql/sync-types/kernel';
import type { SyncKernel } from './sync-kernel.js';

export type { SyncKernel } from './sync-kernel.js';

/**
 * ObjectStack's kernel with these plugins. Needs `@objectstack/runtime`, which is loaded at `start`:
 * `const kernel = createKernel({ plugins: [new SyncPlugin({ clientId, transport })] }); await kernel.start();`
 */
export function createKernel<Plugin extends KernelPlugin>(options: KernelOptions<Plugin>): SyncKernel<Plugin> {
  const kernel = createObjectStackKernel(options, () => import('@objectstack/runtime'));
  // A cast, because the plugin adds `sync` to the kernel, and only once it is started.
  return kernel as SyncKernel<Plugin>;
}
