/** The storages that survive their process, by the names that the crash test uses. */
import Database from 'libsql';
import type { ClientStorage } from '../client-storage.js';
import { FileStorage } from '../file-storage.js';
import { SqliteStorage } from '../sqlite-storage.js';

export const CRASH_STORAGES = ['file', 'sqlite'] as const;

/** Opens one of them; the file compacts often, so that crashes meet that too. */
export async function openCrashStorage(kind: string | undefined, path: string | undefined): Promise<ClientStorage> {
  if (path === undefined) throw new Error('The path of the storage is missing.');
  if (kind === 'sqlite') return new SqliteStorage(new Database(path));
  return new FileStorage(path, { compactAboveBytes: 10_000 });
}
