/** Kernels for plugins, and the plugin contract they share. A subpath, so that apps without a kernel load none. */

export { commitTransaction, type EngineTransactionInfo, executionOf } from './kernel/commit-transaction.js';
export { consoleLogger } from './kernel/console-logger.js';
export {
  createObjectStackKernel,
  createSmallKernel,
  type Kernel,
  type KernelOptions,
  type ObjectStackConfig,
  type ObjectStackRuntime,
} from './kernel/create-kernel.js';
export {
  AS_SYSTEM,
  type DataEngine,
  type EngineContext,
  type EngineObject,
  type EngineOperation,
  type EngineOptions,
  type EngineQuery,
  type EngineRegistry,
  type EngineRow,
  type EngineWhere,
  STORED_FILES,
} from './kernel/data-engine.js';
export type { HookHandler, KernelContext, KernelHost, KernelLogger, KernelPlugin } from './kernel/kernel-plugin.js';
export { isPlaceholderId } from './kernel/placeholder-id.js';
export { SmallKernel } from './kernel/small-kernel.js';
export { defineSystemObjects, type SystemObjectParts, systemObject } from './kernel/system-object.js';
export { definedNameOf, idsAfterInsert, idsBeforeWrite, isWrite } from './kernel/written-ids.js';
