/** How the storage contract reaches the implementation it tests. */
import type { ClientStorage } from '../client-storage.js';

/** An implementation under test. */
export interface StorageFixture {
  /** What of the committed state is still there after `close`. */
  readonly keeps: 'everything' | 'nothing';
  /** What the first `load` after opening costs: what is pending, or everything that is stored. */
  readonly loadReads: 'pending' | 'everything';
  /** A place where nothing was ever stored. */
  newPlace(): Promise<StoragePlace>;
}

/** Where one storage keeps its state, e.g. a file. */
export interface StoragePlace {
  /** A storage at this place; again after the last one was closed. */
  open(): ClientStorage;
  /** Deletes what is stored at this place. */
  remove(): Promise<void>;
}

/** One storage under test. */
export interface StorageSession {
  /** The storage that is open. */
  readonly storage: ClientStorage;
  /** Closes the storage and opens it again, if it keeps anything; else leaves it as it is. */
  reopen(): Promise<void>;
}

/** Runs `work` with a new storage and cleans up after it. */
export async function withStorage(
  fixture: StorageFixture,
  work: (session: StorageSession) => Promise<void>,
): Promise<void> {
  const place = await fixture.newPlace();
  const session = {
    storage: place.open(),
    async reopen() {
      if (fixture.keeps === 'nothing') return;
      await session.storage.close();
      session.storage = place.open();
    },
  };
  try {
    await work(session);
  } finally {
    await session.storage.close();
    await place.remove();
  }
}
