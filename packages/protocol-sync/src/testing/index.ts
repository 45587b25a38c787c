/**
 * What the tests of a server need: the real handler in the test's own process, a clock in the test's hands, a store that
 * fails as planned; and the suite that a store of your own must pass. The package's `/testing` entry, which needs no test
 * framework of its own.
 */
export type { TestFramework } from '@objectql/sync-types';
export { TestClock } from '../platform/test-clock.js';
export type { OpenStore, StoreAbility, StoreFixture, StoreUnderTest } from '../storage/contract/store-fixture.js';
export { storeContract } from '../storage/store.contract.js';
export {
  type FaultyStore,
  InjectedFault,
  type StoreFault,
  type StoreStep,
  withStoreFaults,
} from './store-faults.js';
export { type TestConnection, type TestRecord, TestServer, type TestServerOptions } from './test-server.js';
