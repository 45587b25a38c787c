/** Kernels for plugins, the contract they share, and ObjectStack's data engine. A subpath, so that apps without a kernel load none. */

export {
  beforeCommit,
  commitTransaction,
  type EngineTransactionInfo,
  executionOf,
  holdCommit,
  isPostgres,
  keepCommit,
  refuseCommit,
  transactionAround,
} from './data-engine/commit-transaction.js';
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
} from './data-engine/data-engine.js';
export { ENGINE_FEED, type EngineFeed } from './data-engine/engine-feed.js';
export { PROBE_OBJECT, probeOrganizations } from './data-engine/organizations.js';
export { isPlaceholderId } from './data-engine/placeholder-id.js';
export { shares } from './data-engine/shares.js';
export { defineSystemObjects, type SystemObjectParts, systemObject } from './data-engine/system-object.js';
export { UnderWay } from './data-engine/under-way.js';
export { definedNameOf, idsAfterInsert, idsBeforeWrite, isWrite } from './data-engine/written-ids.js';
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
