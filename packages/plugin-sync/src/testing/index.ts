/** What the tests of an app need: a device with a clock in the test's hands, a bad network, a failing storage. */
export { TestPlatform, type TestPlatformOptions } from '../platform/test-platform.js';
export type { Fault, FaultPlan } from './fault.js';
export { FaultStorage, type StorageOperation } from './fault-storage.js';
export { type FaultTransport, type FaultTransportOptions, faultTransport } from './fault-transport.js';
