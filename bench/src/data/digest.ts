/** What a replica holds, as one short text: two replicas are equal when their digests are. */
import { createHash } from 'node:crypto';
import { TASK_FIELDS, type TaskChange } from './task.js';

/** The number of records and a hash of them all, whatever their order and that of their fields. */
export function digestOf(records: Iterable<readonly [id: string, record: object]>): string {
  const rows: string[] = [];
  for (const [id, record] of records) {
    const fields = record as Readonly<Record<string, unknown>>;
    rows.push(JSON.stringify([id, ...TASK_FIELDS.map((field) => fields[field] ?? null)]));
  }
  rows.sort();
  const hash = createHash('sha256');
  for (const row of rows) hash.update(row);
  return `${rows.length}:${hash.digest('hex').slice(0, 16)}`;
}

/** The digest of what these changes make, one after the other. */
export function digestAfter(changes: Iterable<TaskChange>): string {
  const records = new Map<string, object>();
  for (const [id, data] of changes) records.set(id, { ...records.get(id), ...data });
  return digestOf(records);
}
