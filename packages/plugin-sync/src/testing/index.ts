/**
 * For the tests of an app: a device whose clock the test controls, a bad network, a failing storage, and the suite that
 * a storage of your own must pass. The package's `/testing` entry, which needs no test framework of its own.
 */
export type { TestFramework } from '@objectql/sync-types';
export { TestPlatform, type TestPlatformOptions } from '../platform/test-platform.js';
export type { StorageFixture, StoragePlace } from '../storage/contract/storage-fixture.js';
export { storageContract } from '../storage/storage.contract.js';
export type { Fault, FaultPlan } from './fault.js';
export { FaultStorage, type StorageFault, type StorageOperation } from './fault-storage.js';
export { type FaultTransport, type FaultTransportOptions, faultTransport } from './fault-transport.js';
