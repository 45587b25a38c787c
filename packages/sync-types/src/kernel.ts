/** Kernels for plugins, and the plugin contract they share. A subpath, so that apps without a kernel load none. */

export { consoleLogger } from './kernel/console-logger.js';
export {
  createObjectStackKernel,
  createSmallKernel,
  type Kernel,
  type KernelOptions,
  type ObjectStackConfig,
  type ObjectStackRuntime,
} from './kernel/create-kernel.js';
export type { HookHandler, KernelContext, KernelHost, KernelLogger, KernelPlugin } from './kernel/kernel-plugin.js';
export { SmallKernel } from './kernel/small-kernel.js';
