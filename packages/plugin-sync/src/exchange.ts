/** One request and its answer: what is asked, how long it may take, and what a refusal of the whole request means. */
import {
  MAX_BODY_BYTES,
  MAX_MUTATIONS,
  REQUEST_TIMEOUT_MS,
  type SyncPushRequest,
  type SyncPushResponse,
} from '@objectql/sync-types';
import type { MutationLogger } from './mutation-logger.js';
import type { Platform } from './platform/platform.js';
import { selectBatch } from './select-batch.js';
import type { StoredEntry } from './storage/client-storage.js';
import { parseAnswer } from './transport/parse-answer.js';
import { type SyncTransport, TransportError } from './transport/transport.js';

export interface ExchangeParts {
  readonly log: MutationLogger;
  readonly transport: SyncTransport;
  readonly platform: Platform;
  readonly isHeld: (key: string) => boolean;
  readonly batchSizeOf: (objectName: string) => number;
  /** The objects to receive changes of; all when `undefined`, none when empty. */
  readonly pulledObjects: () => readonly string[] | undefined;
}

export interface Exchanged {
  readonly sent: readonly StoredEntry[];
  readonly answer: SyncPushResponse;
  /** The checkpoint the request was made with. */
  readonly checkpoint: string | null;
  /** How far the device's clock is ahead of the server's, where the server tells its time. */
  readonly clockSkewMs: number | null;
}

/** 0.9: leaves room in a body for the envelope around the mutations. */
const BODY_SHARE = 0.9;

export class Exchange {
  readonly #parts: ExchangeParts;
  #maxMutations = MAX_MUTATIONS;
  #maxBytes = MAX_BODY_BYTES * BODY_SHARE;
  /** Halved while the server finds bodies too large; doubled again with each success. */
  #share = 1;
  #underWay: AbortController | undefined;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** True when a push would carry something. */
  hasWork(): boolean {
    return this.#select().length > 0;
  }

  /** Sends what may be sent and asks for what is new. Rejects with `TransportError` when there is no usable answer. */
  async run(): Promise<Exchanged> {
    const { log, platform } = this.#parts;
    const sent = this.#select();
    const checkpoint = log.meta.checkpoint;
    const request = this.#request(sent);
    const startedAt = platform.now();
    const raw = await this.#within(REQUEST_TIMEOUT_MS, (signal) => this.#send(request, signal));
    const answer = parseAnswer(
      raw,
      sent.map(({ mutation }) => mutation.id),
    );
    this.#learn(answer);
    const serverTime = answer.serverTime === undefined ? undefined : Date.parse(answer.serverTime);
    // The answer was written about half-way between sending and receiving.
    const midway = (startedAt + platform.now()) / 2;
    return { sent, answer, checkpoint, clockSkewMs: serverTime === undefined ? null : Math.round(midway - serverTime) };
  }

  /** Sends fewer at a time; answers the one mutation that is too large even alone, if that is what it is. */
  shrink(): StoredEntry | undefined {
    const batch = this.#select();
    if (batch.length <= 1) return batch[0];
    this.#share = batch.length / 2 / this.#maxMutations;
    return undefined;
  }

  /** Ends the request under way. */
  abort(): void {
    this.#underWay?.abort(new TransportError('The client ended the request.', { type: 'aborted' }));
  }

  #select(): readonly StoredEntry[] {
    const { log, isHeld, batchSizeOf } = this.#parts;
    return selectBatch(log.entries(), {
      isDurable: (id) => log.isDurable(id),
      isHeld,
      batchSizeOf,
      maxMutations: Math.max(1, Math.floor(this.#maxMutations * this.#share)),
      maxBytes: this.#maxBytes,
    });
  }

  #request(sent: readonly StoredEntry[]): SyncPushRequest {
    const { log, platform, pulledObjects } = this.#parts;
    const objects = pulledObjects();
    return {
      clientId: log.getClientId(),
      mutations: sent.map(({ mutation }) => mutation),
      lastCheckpoint: log.meta.checkpoint,
      protocol: 2,
      logId: log.meta.logId,
      sentAt: new Date(platform.now()).toISOString(),
      ...(objects === undefined ? {} : objects.length === 0 ? { pull: false } : { objects: [...objects] }),
    };
  }

  #send(request: SyncPushRequest, signal: AbortSignal): Promise<unknown> {
    const { transport } = this.#parts;
    if (request.mutations.length > 0 || request.pull === false || !transport.pull) {
      return transport.push(request, { signal });
    }
    const { mutations, pull, ...pullRequest } = request;
    return transport.pull(pullRequest, { signal });
  }

  /** Bounded here as well, because a transport of the application's may not know the signal. */
  async #within<T>(timeoutMs: number, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController();
    this.#underWay = controller;
    const cancel = this.#parts.platform.setTimer(() => {
      controller.abort(new TransportError(`The server did not answer within ${timeoutMs} ms.`, { type: 'timeout' }));
    }, timeoutMs);
    const aborted = new Promise<never>((_, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
    });
    try {
      return await Promise.race([Promise.resolve(controller.signal).then(send), aborted]);
    } catch (error) {
      if (error instanceof TransportError) throw error;
      throw new TransportError('The server could not be reached.', { type: 'unreachable' }, { cause: error });
    } finally {
      cancel();
      this.#underWay = undefined;
    }
  }

  #learn({ limits }: SyncPushResponse): void {
    this.#share = Math.min(1, this.#share * 2);
    if (!limits) return;
    this.#maxMutations = Math.max(1, limits.maxMutations);
    this.#maxBytes = limits.maxBodyBytes * BODY_SHARE;
  }
}
