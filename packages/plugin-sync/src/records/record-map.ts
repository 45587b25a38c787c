/** A map by record. */
import type { RecordId, RecordRef } from '@objectql/sync-types';

/**
 * By object, then by id: this keeps the ids `1` and `'1'` apart without a text key, which would cost as much as all the
 * rest.
 */
export class RecordMap<Value> {
  readonly #byObject = new Map<string, Map<RecordId, Value>>();

  get({ objectName, recordId }: RecordRef): Value | undefined {
    return this.#byObject.get(objectName)?.get(recordId);
  }

  set({ objectName, recordId }: RecordRef, value: Value): void {
    let values = this.#byObject.get(objectName);
    if (!values) {
      values = new Map();
      this.#byObject.set(objectName, values);
    }
    values.set(recordId, value);
  }

  /** Empty objects stay: there are few of them. */
  delete({ objectName, recordId }: RecordRef): void {
    this.#byObject.get(objectName)?.delete(recordId);
  }

  /** The values of an object's records, or of all, in the order they were set. */
  values(objectName?: string): readonly Value[] {
    const all = objectName === undefined ? [...this.#byObject.values()] : [this.#byObject.get(objectName)];
    return all.flatMap((values) => (values ? [...values.values()] : []));
  }
}
