/** How the contract's tests are declared. */
import type { TestFramework } from '@objectql/sync-types';
import { type StorageFixture, type StorageSession, withStorage } from './storage-fixture.js';

/** What each part of the contract gets. */
export interface StorageTests extends Pick<TestFramework, 'expect'> {
  readonly fixture: StorageFixture;
  /** Declares a test that gets a new storage. */
  readonly storageTest: (title: string, work: (session: StorageSession) => Promise<void>) => void;
}

/** Ways to declare tests of one implementation in the caller's framework. */
export function storageTests(fixture: StorageFixture, { it, expect }: TestFramework): StorageTests {
  return {
    fixture,
    expect,
    storageTest: (title, work) => void it(title, () => withStorage(fixture, work)),
  };
}
