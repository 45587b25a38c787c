/** `createKernel` for platforms where ObjectStack's kernel cannot run. The package's `/kernel` entry there. */
import { createSmallKernel, type KernelOptions, type KernelPlugin } from '@objectql/sync-types/kernel';
import type { SyncKernel } from './sync-kernel.js';

export type { SyncKernel } from './sync-kernel.js';

/** A small kernel with these plugins, with the plugin contract of ObjectStack's. */
export function createKernel<Plugin extends KernelPlugin>(options: KernelOptions<Plugin>): SyncKernel<Plugin> {
  // A cast, because the plugin adds `sync` to the kernel, and only once it is started.
  return createSmallKernel(options) as SyncKernel<Plugin>;
}
