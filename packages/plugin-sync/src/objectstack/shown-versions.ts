/**
 * Which version of each record the local engine shows: an edit made there is based on it. The client may have a newer
 * version that is not in the engine yet, but the user has not seen that one.
 */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import type { ClientLog } from '../log/client-log.js';

/** A version, and the client's epoch count at that time: at a later count it says nothing. */
export interface Shown {
  readonly version: number | null;
  readonly epochs: number;
}

/** Filled when the engine is compared with the client, soon after the start. */
export class ShownVersions {
  readonly #log: Pick<ClientLog, 'meta'>;
  readonly #byKey = new Map<string, Shown>();

  constructor(log: Pick<ClientLog, 'meta'>) {
    this.#log = log;
  }

  get(ref: RecordRef): Shown | undefined {
    return this.#byKey.get(recordKey(ref));
  }

  /** The engine shows this version now, or none if the record is gone. Returns a function that takes that back. */
  set(ref: RecordRef, version: number | null | undefined): () => void {
    const key = recordKey(ref);
    const before = this.#byKey.get(key);
    this.#put(key, version === undefined ? undefined : { version, epochs: this.#log.meta.epochs });
    return () => this.#put(key, before);
  }

  #put(key: string, shown: Shown | undefined): void {
    if (shown) this.#byKey.set(key, shown);
    else this.#byKey.delete(key);
  }
}
