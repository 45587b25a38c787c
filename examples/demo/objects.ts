/** The objects of the demo, read from their metadata: client and server take the same files. */
import { readdirSync, readFileSync } from 'node:fs';
import { readObjectSyncFiles } from '@objectql/sync-types/object-yaml';

const folder = new URL('./objects/', import.meta.url);

export const objects = readObjectSyncFiles(
  readdirSync(folder).map((file) => ({ file, text: readFileSync(new URL(file, folder), 'utf8') })),
);
