/**
 * Which version of each record the local engine shows: what an edit made there is based on. The client may have a newer one
 * that is still to be written into the engine, and what the user has not seen is no base of theirs.
 */
import { type RecordRef, recordKey } from '@objectql/sync-types';
import type { ClientLog } from '../log/client-log.js';

/** A version, and how often versions were forgotten when it was one: later it tells nothing. */
export interface Shown {
  readonly version: number | null;
  readonly epochs: number;
}

/** Known since the engine was compared with the client, which is soon after the start. */
export class ShownVersions {
  readonly #log: Pick<ClientLog, 'meta'>;
  readonly #byKey = new Map<string, Shown>();

  constructor(log: Pick<ClientLog, 'meta'>) {
    this.#log = log;
  }

  get(ref: RecordRef): Shown | undefined {
    return this.#byKey.get(recordKey(ref));
  }

  /** The engine shows this version now; none where the record is gone. Returns what takes that back. */
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
