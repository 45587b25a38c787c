/** Values by record. */
import type { RecordId, RecordRef } from '@objectql/sync-types';

/**
 * A map whose keys are records. It nests two maps: a push looks at its records many times, and joining the two names
 * into one key each time costs more than the look-ups.
 */
export class RecordMap<T> {
  readonly #byObject = new Map<string, Map<RecordId, T>>();

  get({ objectName, recordId }: RecordRef): T | undefined {
    return this.#byObject.get(objectName)?.get(recordId);
  }

  has({ objectName, recordId }: RecordRef): boolean {
    return this.#byObject.get(objectName)?.has(recordId) ?? false;
  }

  set({ objectName, recordId }: RecordRef, value: T): void {
    const byId = this.#byObject.get(objectName);
    if (byId) byId.set(recordId, value);
    else this.#byObject.set(objectName, new Map([[recordId, value]]));
  }

  delete({ objectName, recordId }: RecordRef): void {
    const byId = this.#byObject.get(objectName);
    // An object's map is removed with its last record, so that names that are no longer used take no memory.
    if (byId?.delete(recordId) && byId.size === 0) this.#byObject.delete(objectName);
  }

  /** All values, those of one object together. */
  *values(): Generator<T> {
    for (const byId of this.#byObject.values()) yield* byId.values();
  }
}

/** A set of records, keyed in the same way. */
export class RecordSet {
  readonly #byObject = new Map<string, Set<RecordId>>();

  has({ objectName, recordId }: RecordRef): boolean {
    return this.#byObject.get(objectName)?.has(recordId) ?? false;
  }

  /** True when it is new. */
  add({ objectName, recordId }: RecordRef): boolean {
    const ids = this.#byObject.get(objectName);
    if (!ids) {
      this.#byObject.set(objectName, new Set([recordId]));
      return true;
    }
    const { size } = ids;
    return ids.add(recordId).size > size;
  }
}
