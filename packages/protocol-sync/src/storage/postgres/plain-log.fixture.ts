/** A client as plain as can be: a log that is sent until it has outcomes. */
import assert from 'node:assert/strict';
import { type JsonObject, type MutationLogEntry, recordKey, type SyncMutationResult } from '@objectql/sync-types';
import type { SyncHandler } from '../../sync-handler.js';
import { SyncRequestError } from '../../sync-request-error.js';
import { StoreBusyError } from '../sync-store.js';
import type { Draft } from './postgres-histories.contract.js';

/** What a request is answered; `undefined` if it is worth another try. */
export async function answered<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof StoreBusyError || (error instanceof SyncRequestError && error.code === 'BUSY'))
      return undefined;
    throw error;
  }
}

export class PlainLog {
  readonly name: string;
  /** What was recorded, push by push. */
  readonly batches: (readonly MutationLogEntry[])[] = [];
  /** What was told of each mutation. */
  readonly statuses = new Map<string, SyncMutationResult['status']>();
  /** The version that it made; a repeated answer tells the record's present one. */
  readonly versions = new Map<string, number>();
  /** The versions of records that clients were told of. */
  readonly #acknowledged: Map<string, number>;
  #sequence = 0;

  constructor(name: string, acknowledged: Map<string, number>) {
    this.name = name;
    this.#acknowledged = acknowledged;
  }

  record(drafts: readonly Draft[]): readonly MutationLogEntry[] {
    const batch = drafts.map((draft) => this.#mutationOf(draft));
    this.batches.push(batch);
    return batch;
  }

  /** Answers whether each mutation has its outcome now; one from long ago may be forgotten, but has no other. */
  async send(handler: SyncHandler, batch: readonly MutationLogEntry[], isOfLongAgo = false): Promise<boolean> {
    const request = {
      clientId: this.name,
      logId: `log of ${this.name}`,
      protocol: 2,
      lastCheckpoint: null,
      pull: false,
    };
    const answer = await answered(handler.handlePush({ ...request, mutations: batch }));
    if (!answer) return false;
    assert.deepEqual(
      answer.results.map(({ mutationId }) => mutationId),
      batch.map(({ id }) => id),
    );
    const settled = answer.results.filter((result) => result.status !== 'rejected' || !result.retryable);
    for (const result of settled) {
      const mutation = batch.find(({ id }) => id === result.mutationId);
      const isForgotten = isOfLongAgo && result.status === 'rejected' && result.code === 'OUTCOME_EXPIRED';
      if (mutation && !isForgotten) this.#take(mutation, result);
    }
    return settled.length === batch.length;
  }

  #take(mutation: MutationLogEntry, result: SyncMutationResult): void {
    const { id } = mutation;
    assert.equal(result.status, this.statuses.get(id) ?? result.status, `${id} got another outcome.`);
    this.statuses.set(id, result.status);
    if (result.status !== 'applied') return;
    if (!result.duplicate) this.versions.set(id, result.serverVersion);
    const known = this.#acknowledged.get(recordKey(mutation)) ?? 0;
    this.#acknowledged.set(recordKey(mutation), Math.max(known, result.serverVersion));
  }

  /** Clients never write the same field, so that no write of one is in conflict. */
  #mutationOf({ operation, isShared, letter, isRefused }: Draft): MutationLogEntry {
    this.#sequence += 1;
    const ref = { objectName: isShared ? 'shared' : 'own', recordId: isShared ? letter : `${letter} of ${this.name}` };
    const base = {
      ...ref,
      id: `${this.name}-${this.#sequence}`,
      clientId: this.name,
      sequence: this.#sequence,
      timestamp: '2026-01-01T00:00:00.000Z',
    };
    const data: JsonObject = { [this.name]: this.#sequence, ...(isRefused ? { title: 'refused' } : {}) };
    const baseVersion = this.#acknowledged.get(recordKey(ref)) ?? 1;
    if (isShared || operation === 'create') return { ...base, operation: 'create', data, baseVersion: null };
    return operation === 'delete' ? { ...base, operation, baseVersion } : { ...base, operation, data, baseVersion };
  }
}
