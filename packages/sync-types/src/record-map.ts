/** Values by record. */
import type { RecordId, RecordRef } from './record-key.js';

/**
 * A map whose keys are records. By object, then by id: this keeps the ids `1` and `'1'` apart without a text key, and
 * joining the two names into one for each look-up would cost more than all the rest.
 */
export class RecordMap<Value> {
  readonly #byObject = new Map<string, Map<RecordId, Value>>();

  get({ objectName, recordId }: RecordRef): Value | undefined {
    return this.#byObject.get(objectName)?.get(recordId);
  }

  set({ objectName, recordId }: RecordRef, value: Value): void {
    const byId = this.#byObject.get(objectName) ?? new Map<RecordId, Value>();
    this.#byObject.set(objectName, byId.set(recordId, value));
  }

  delete({ objectName, recordId }: RecordRef): void {
    const byId = this.#byObject.get(objectName);
    // An object's map is removed with its last record, so that names that are no longer used take no memory.
    if (byId?.delete(recordId) && byId.size === 0) this.#byObject.delete(objectName);
  }

  /** The values of an object's records in the order they were set, or of all, those of one object together. */
  values(objectName?: string): readonly Value[] {
    const all = objectName === undefined ? [...this.#byObject.values()] : [this.#byObject.get(objectName)];
    return all.flatMap((byId) => (byId ? [...byId.values()] : []));
  }
}
