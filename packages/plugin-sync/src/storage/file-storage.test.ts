import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FileStorage } from './file-storage.js';
import { storageContract } from './storage.contract.js';

storageContract('FileStorage', {
  keeps: 'everything',
  loadReads: 'everything',
  async newPlace() {
    const directory = await mkdtemp(join(tmpdir(), 'file-storage-'));
    return {
      open: () => new FileStorage(join(directory, 'sync.journal'), { compactAboveBytes: 1000 }),
      remove: () => rm(directory, { recursive: true }),
    };
  },
});
