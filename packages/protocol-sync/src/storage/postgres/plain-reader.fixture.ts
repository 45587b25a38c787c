/** A client that only reads: it knows what it was sent, and follows its checkpoint. */
import assert from 'node:assert/strict';
import { type JsonObject, recordKey, type SyncPushResponse } from '@objectql/sync-types';
import type { SyncHandler } from '../../sync-handler.js';
import { answered } from './plain-log.fixture.js';

interface Known {
  readonly version: number;
  /** `null` when deleted. */
  readonly data: JsonObject | null;
}

export class PlainReader {
  readonly #known = new Map<string, Known>();
  /** The versions of records that clients were told of. */
  readonly #acknowledged: ReadonlyMap<string, number>;
  #checkpoint: string | null = null;
  /** What a walk from the feed's start has met so far. */
  #walk: Set<string> | undefined;

  constructor(acknowledged: ReadonlyMap<string, number>) {
    this.#acknowledged = acknowledged;
  }

  /** The records that are there, by their keys. */
  get records(): readonly (readonly [key: string, version: number, data: JsonObject])[] {
    return [...this.#known]
      .flatMap(([key, { version, data }]) => (data ? [[key, version, data] as const] : []))
      .toSorted();
  }

  /** Reads one page; answers whether it was the last one. */
  async pull(handler: SyncHandler, limit: number): Promise<boolean> {
    const due = [...this.#acknowledged];
    const request = { clientId: 'reader', protocol: 2, lastCheckpoint: this.#checkpoint, limit };
    const answer = await answered(handler.handlePull(request));
    if (!answer) return false;
    if (answer.reset) this.#walk = new Set();
    for (const change of answer.serverChanges) this.#take(change);
    this.#checkpoint = answer.checkpoint;
    if (answer.hasMore) return false;
    this.#endWalk();
    // All that clients were told before the last page was asked for. Of a deleted record nothing may be left.
    const missed = due.filter(([key, version]) => {
      const known = this.#known.get(key);
      return known ? known.version < version : key.includes('shared');
    });
    assert.deepEqual(missed, []);
    return true;
  }

  #take({ serverVersion: version, operation, data, ...ref }: SyncPushResponse['serverChanges'][number]): void {
    const key = recordKey(ref);
    const before = this.#known.get(key)?.version ?? 0;
    // A walk may tell again what is known.
    assert.ok(this.#walk ? version >= before : version > before, `${key} came as v${version} behind v${before}.`);
    this.#walk?.add(key);
    this.#known.set(key, { version, data: operation === 'delete' ? null : (data ?? {}) });
  }

  #endWalk(): void {
    for (const key of this.#walk ? this.#known.keys() : []) if (!this.#walk?.has(key)) this.#known.delete(key);
    this.#walk = undefined;
  }
}
