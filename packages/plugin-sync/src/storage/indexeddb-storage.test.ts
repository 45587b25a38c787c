import { expect, test } from 'vitest';
import { IndexedDbStorage } from './indexeddb-storage.js';

test('says so where there is no IndexedDB, as in Node', async () => {
  const storage = new IndexedDbStorage('any');
  await expect(storage.load()).rejects.toMatchObject({ name: 'StorageError', code: 'UNAVAILABLE' });
  await storage.close();
});
