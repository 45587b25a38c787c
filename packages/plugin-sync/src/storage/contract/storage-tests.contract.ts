/** Declares tests that each get a storage of their own. */
import { it } from 'vitest';
import { type StorageFixture, type StorageSession, withStorage } from './storage-fixture.js';

/** A way to declare tests that each get a new storage. */
export function storageTests(
  fixture: StorageFixture,
): (title: string, work: (session: StorageSession) => Promise<void>) => void {
  return (title, work) => it(title, () => withStorage(fixture, work));
}
