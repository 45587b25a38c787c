/** Keys that never mistake two different records for one. */

/** A record's identifier. `1` and `'1'` are different records. */
export type RecordId = string | number;

/** A record is named by its object and its id within that object. */
export interface RecordRef {
  readonly objectName: string;
  readonly recordId: RecordId;
}

/** Only the name of something that has more, such as a mutation or a stored record. */
export function refOf({ objectName, recordId }: RecordRef): RecordRef {
  return { objectName, recordId };
}

/**
 * A string that is equal for two records exactly when they are the same record, for use as a map key.
 * The length says where the object's name ends, and a sign keeps numbers apart from strings:
 * `recordKey({ objectName: 'task', recordId: 1 })` is `4:task#1`, and with `'1'` it is `4:task:1`.
 */
export function recordKey({ objectName, recordId }: RecordRef): string {
  return `${objectName.length}:${objectName}${typeof recordId === 'number' ? '#' : ':'}${recordId}`;
}
