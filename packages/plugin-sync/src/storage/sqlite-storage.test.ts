import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { SqliteStorage } from './sqlite-storage.js';
import { storageContract } from './storage.contract.js';

storageContract('SqliteStorage', {
  keeps: 'everything',
  loadReads: 'pending',
  runs: 30,
  async newPlace() {
    const directory = await mkdtemp(join(tmpdir(), 'sqlite-storage-'));
    const path = join(directory, 'sync.db');
    return {
      open: () => new SqliteStorage(new Database(path)),
      remove: () => rm(directory, { recursive: true }),
    };
  },
});
