/** One request and its answer: what is asked, how much at a time, and how long it may take. */
import {
  ASSUMED_MAX_MUTATIONS,
  MAX_BODY_BYTES,
  REQUEST_TIMEOUT_MS,
  type SyncPushRequest,
  type SyncPushResponse,
} from '@objectql/sync-types';
import type { ClientLog } from '../log/client-log.js';
import { instantOf } from '../log/instant.js';
import type { ObjectConfigs } from '../object-configs.js';
import type { Platform } from '../platform/platform.js';
import type { StoredEntry } from '../storage/client-storage.js';
import { asTransportError } from '../transport/as-transport-error.js';
import { withDeadline } from '../transport/deadline.js';
import { parseAnswer } from '../transport/parse-answer.js';
import { failureOf, type SyncTransport, type TransportOptions } from '../transport/transport.js';

export interface ExchangeParts {
  readonly log: ClientLog;
  /** Asked for each request. */
  readonly transport: () => SyncTransport;
  readonly platform: Platform;
  readonly configs: ObjectConfigs;
}

export interface Ask {
  readonly sent: readonly StoredEntry[];
  /** The checkpoint the request is made with. */
  readonly checkpoint: string | null;
}

export interface Exchanged extends Ask {
  readonly answer: SyncPushResponse;
  /** How far the device's clock is ahead of the server's; `null` if the answer does not tell. */
  readonly clockSkewMs: number | null;
}

/** An answer to store: the server's, or one the client gives itself, perhaps before the server's first. */
export type Answered = Omit<Exchanged, 'answer'> & {
  readonly answer: Omit<SyncPushResponse, 'checkpoint'> & { readonly checkpoint: string | null };
};

/** 500 changes: what the first failure assumes of a page and halves. Where pages are larger, it asks for less than half. */
const MAX_PAGE = 500;
/** 10 s: if all of it was the line's, twice as much still comes in time. */
const QUICK_MS = REQUEST_TIMEOUT_MS / 3;
/** 150 s of an answer's parts: by halves, it would take half an hour of this to ask for little enough. */
const IN_VAIN_MS = 5 * REQUEST_TIMEOUT_MS;
/** An eighth more: behind an answer that took long, whether for its size or not, a failure costs more than it gains. */
const LITTLE_MORE = 1.125;
/** 0.9 of a body for mutations: the rest is for the envelope around them. */
const BODY_SHARE = 0.9;

export class Exchange {
  readonly #parts: ExchangeParts;
  #serverMaxMutations = ASSUMED_MAX_MUTATIONS;
  #serverMaxBytes = MAX_BODY_BYTES;
  /** The most mutations in a request, and changes in its answer: halved by each failure, grown by each success. */
  #most = Number.POSITIVE_INFINITY;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** How much one push may carry now. */
  get limits(): { readonly maxMutations: number; readonly maxBytes: number } {
    return {
      maxMutations: Math.max(1, Math.min(this.#serverMaxMutations, this.#most)),
      maxBytes: this.#serverMaxBytes * BODY_SHARE,
    };
  }

  /**
   * Sends the mutations and asks for what is new since the checkpoint. Rejects with `TransportError` when there is no
   * usable answer.
   */
  async run(ask: Ask, options: TransportOptions): Promise<Exchanged> {
    const { platform } = this.#parts;
    const startedAt = platform.now();
    let tooMany = ask.sent.length;
    const onProgress = () => {
      // Asked while parts arrive: a device that slept in the middle knows nothing of the line.
      if (platform.now() - startedAt > IN_VAIN_MS) tooMany = 1;
    };
    const request = this.#request(ask);
    // Bounded here too, because an application's own transport may ignore the signal.
    const raw = await withDeadline(
      { ...options, onProgress, timeoutMs: REQUEST_TIMEOUT_MS, platform },
      async (bounds) => this.#send(request, { ...options, ...bounds }),
    ).catch((error: unknown) => {
      const failed = asTransportError(error);
      if (mayPassInParts(failed)) this.shrink(tooMany);
      throw failed;
    });
    const answer = parseAnswer(raw, request.mutations);
    const tookMs = platform.now() - startedAt;
    const isSlow = tookMs > REQUEST_TIMEOUT_MS;
    // It came in the end, but what the user does meanwhile had to wait for it.
    if (isSlow) this.shrink(0);
    else this.#most = Math.ceil(this.#most * (tookMs < QUICK_MS ? 2 : LITTLE_MORE));
    if (answer.limits) {
      this.#serverMaxMutations = answer.limits.maxMutations;
      this.#serverMaxBytes = answer.limits.maxBodyBytes;
    }
    const { serverTime } = answer;
    // The answer was written about half-way between sending and receiving, unless it was long under way. Adding 0 turns
    // the -0 that rounding may give into 0.
    const clockSkewMs =
      serverTime === undefined || isSlow ? null : Math.round(startedAt + tookMs / 2 - Date.parse(serverTime)) + 0;
    return { ...ask, answer, clockSkewMs };
  }

  /** Lets the transport prepare to send these next. Returns what it returns: an asynchronous one may fail later. */
  prepare(sent: readonly StoredEntry[]): unknown {
    return this.#parts.transport().prepare?.(sent.map(({ mutation }) => mutation));
  }

  /** Sends and asks for fewer at a time from now on: `count` mutations were too many, or, if 0, a page was too large. */
  shrink(count: number): void {
    this.#most = Math.max(1, Math.floor((count || Math.min(this.#most, MAX_PAGE)) / 2));
  }

  #request({ sent, checkpoint }: Ask): SyncPushRequest {
    const { log, platform, configs } = this.#parts;
    return {
      clientId: log.clientId,
      mutations: sent.map(({ mutation }) => mutation),
      lastCheckpoint: checkpoint,
      protocol: 2,
      logId: log.meta.logId,
      sentAt: instantOf(platform.now()),
      ...(this.#most < MAX_PAGE && { limit: this.#most }),
      ...configs.wanted,
    };
  }

  #send(request: SyncPushRequest, options: TransportOptions): Promise<unknown> {
    const transport = this.#parts.transport();
    if (request.mutations.length > 0 || request.pull === false || !transport.pull) {
      return transport.push(request, options);
    }
    const { mutations, pull, ...pullRequest } = request;
    return transport.pull(pullRequest, options);
  }
}

/**
 * True for a failure that may come from what a request carries: what is too large, or not to a firewall's liking, is cut
 * off or refused on the way, in any words, or makes a server fail. But where patience is asked for, smaller requests
 * would only be more requests, and a request that the client itself ended tells nothing.
 */
export function mayPassInParts(error: unknown): boolean {
  const { type, code, status = 0 } = failureOf(error);
  return type !== 'aborted' && status !== 429 && !(code && status < 500);
}
