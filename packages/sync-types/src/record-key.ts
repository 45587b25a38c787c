/** Names a record without ever joining two different records into one. */

/** A record's identifier. `1` and `'1'` are different records. */
export type RecordId = string | number;

/** A record is named by its object and its id within that object. */
export interface RecordRef {
  readonly objectName: string;
  readonly recordId: RecordId;
}

/**
 * A string that is equal for two records exactly when they are the same record, for use as a map key.
 * JSON keeps numbers apart from strings and quotes what would otherwise read as a separator:
 * `recordKey({ objectName: 'task', recordId: 1 })` is `["task",1]`.
 */
export function recordKey(record: RecordRef): string {
  return JSON.stringify([record.objectName, record.recordId]);
}
