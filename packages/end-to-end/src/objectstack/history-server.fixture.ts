/** The server of a history, with its other devices; it may lose everything. */
import { MemoryStore, SyncHandler } from '@objectql/protocol-sync';
import {
  type JsonObject,
  type MutationLogEntry,
  type RecordRef,
  recordKey,
  type SyncMutationResult,
  type SyncPushRequest,
  type SyncPushResponse,
} from '@objectql/sync-types';
import { type Draft, type History, rowOf } from './local-histories.contract.js';

/** What the device with the engine is called; its server refuses some of what it writes. */
export const LOCAL = 'local';

export interface HistoryServerParts extends Pick<History, 'strategy'> {
  readonly now: () => number;
  /** A text that none else has. */
  readonly newText: (effect: string) => string;
}

export class HistoryServer {
  /** How often its feed has begun anew. */
  feeds = 0;
  /** The outcomes of the local device's mutations by their ids, the newest of each. */
  readonly outcomes = new Map<string, SyncMutationResult>();
  /** The texts that records had at versions of the present feed, as far as known, by `key version`. */
  readonly textAt = new Map<string, unknown>();
  #store = new MemoryStore();
  #handler: SyncHandler;
  readonly #parts: HistoryServerParts;
  /** What the other device has: versions, up to a checkpoint. */
  readonly #versions = new Map<string, number>();
  #checkpoint: string | null = null;
  #sequence = 0;

  /** Whether each conflict is left to the user. */
  get isDecidedByUsers(): boolean {
    return this.#parts.strategy === 'manual';
  }

  constructor(parts: HistoryServerParts) {
    this.#parts = parts;
    this.#handler = this.#newHandler();
  }

  /** Answers the local device. */
  async push(request: SyncPushRequest): Promise<SyncPushResponse> {
    const handler = this.#handler;
    const answer = await handler.handlePush(request);
    // Nobody has it any more if the server was lost meanwhile.
    if (handler === this.#handler) {
      for (const result of answer.results) this.outcomes.set(String(result.mutationId), result);
      await this.#noteTexts(request.mutations, answer);
    }
    return answer;
  }

  /** Another device makes these writes. */
  async pushAsOther(drafts: readonly Draft[], { isFresh }: { readonly isFresh: boolean }): Promise<void> {
    if (isFresh) await this.#pullAsOther();
    const mutations = drafts.map((draft) => this.#mutationOf(draft));
    const envelope = { clientId: 'other', logId: `other-${this.feeds}`, protocol: 2, lastCheckpoint: null } as const;
    await this.#noteTexts(mutations, await this.#handler.handlePush({ ...envelope, pull: false, mutations }));
  }

  async changeEpoch(): Promise<void> {
    await this.#store.changeEpoch();
    this.#beginFeed();
  }

  /** Loses everything, as when it is set up anew. */
  lose(): void {
    this.#store = new MemoryStore();
    this.#handler = this.#newHandler();
    this.#checkpoint = null;
    this.#versions.clear();
    for (const [id, { status }] of this.outcomes) if (status === 'applied') this.outcomes.delete(id);
    this.#beginFeed();
  }

  /** All records, by their keys. */
  async records(): Promise<Readonly<Record<string, JsonObject>>> {
    const { serverChanges } = await this.#handler.handlePull({ clientId: 'auditor', lastCheckpoint: null });
    return Object.fromEntries(
      serverChanges.flatMap(({ data, ...change }) => (data ? [[recordKey(change), fieldsOf(data)]] : [])),
    );
  }

  #newHandler(): SyncHandler {
    const { strategy, now } = this.#parts;
    return new SyncHandler({
      store: this.#store,
      ...(strategy ? { strategy } : {}),
      platform: { now, randomId: () => crypto.randomUUID(), setTimer: () => () => {} },
      authorize: { write: ({ mutation }) => mutation.clientId !== LOCAL || !isRefused(mutation) },
    });
  }

  #beginFeed(): void {
    this.feeds += 1;
    this.textAt.clear();
  }

  #mutationOf(draft: Draft): MutationLogEntry {
    this.#sequence += 1;
    const { verb, object: objectName, effect } = draft;
    const text = this.#parts.newText(effect);
    const { id: recordId, ...data } = rowOf(draft, text);
    const timestamp = new Date(this.#parts.now()).toISOString();
    const sequence = this.#sequence;
    const common = { id: `other-${sequence}`, clientId: 'other', sequence, objectName, recordId, timestamp };
    if (verb.startsWith('insert')) return { ...common, operation: 'create', data, baseVersion: null };
    const baseVersion = this.#versions.get(recordKey({ objectName, recordId })) ?? 1;
    if (verb.startsWith('delete')) return { ...common, operation: 'delete', baseVersion };
    return { ...common, operation: 'update', data: { text }, baseVersion };
  }

  async #pullAsOther(): Promise<void> {
    const request = { clientId: 'other', lastCheckpoint: this.#checkpoint };
    const { serverChanges, checkpoint } = await this.#handler.handlePull(request);
    for (const change of serverChanges) this.#versions.set(recordKey(change), change.serverVersion);
    this.#checkpoint = checkpoint;
  }

  async #noteTexts(mutations: readonly MutationLogEntry[], { results }: SyncPushResponse): Promise<void> {
    for (const result of results) {
      const mutation = mutations.find(({ id }) => id === result.mutationId);
      if (mutation && result.status === 'applied') await this.#noteText(mutation);
    }
  }

  async #noteText({ objectName, recordId }: RecordRef): Promise<void> {
    const record = await this.#handler.getRecord(objectName, recordId);
    if (record) this.textAt.set(`${recordKey({ objectName, recordId })} ${record.version}`, record.data?.text);
  }
}

/** The fields that are compared. */
export function fieldsOf({ text = null, project = null }: JsonObject): JsonObject {
  return { text, project };
}

function isRefused({ data, operation, recordId }: MutationLogEntry): boolean {
  return String(data?.text).startsWith('refuse') || (operation === 'delete' && String(recordId).endsWith('-c'));
}
