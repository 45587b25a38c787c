/** A server of a few lines that answers as a test says, and otherwise applies everything once. */
import {
  type RequestErrorCode,
  recordKey,
  type SyncMutationResult,
  type SyncPushRequest,
  type SyncPushResponse,
} from '@objectql/sync-types';
import type { Platform } from '../platform/platform.js';
import { type SyncTransport, TransportError, type TransportOptions } from '../transport/transport.js';

/** What the server does with one request. */
export type Step = (
  request: SyncPushRequest,
  server: ScriptedServer,
) => Partial<SyncPushResponse> | Promise<Partial<SyncPushResponse>>;

export class ScriptedServer implements SyncTransport {
  /** Every request so far, as it came over the wire. */
  readonly requests: SyncPushRequest[] = [];
  /** The ids of the mutations applied so far, in their order. */
  readonly applied: string[] = [];
  /** How many requests the client was waiting for at once, at most. */
  mostAtOnce = 0;
  readonly #script: Step[];
  readonly #otherwise: Step;
  readonly #versionByRecord = new Map<string, number>();
  readonly #versionById = new Map<string, number>();
  #atOnce = 0;
  /** Resolves after so many milliseconds of the test's clock. */
  readonly wait: (ms: number) => Promise<void>;

  /** Goes through `script` request by request, and then does `otherwise` for all that follow. */
  constructor(platform: Platform, script: readonly Step[] = [], otherwise: Step = applies) {
    this.wait = (ms) =>
      new Promise((resolve) => {
        platform.setTimer(resolve, ms);
      });
    this.#script = [...script];
    this.#otherwise = otherwise;
  }

  async push(request: SyncPushRequest, options?: TransportOptions): Promise<SyncPushResponse> {
    const sent: SyncPushRequest = JSON.parse(JSON.stringify(request));
    this.requests.push(sent);
    this.#atOnce += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#atOnce);
    let isWaitedFor = true;
    const leave = () => {
      if (isWaitedFor) this.#atOnce -= 1;
      isWaitedFor = false;
    };
    options?.signal.addEventListener('abort', leave);
    try {
      const step = this.#script.shift() ?? this.#otherwise;
      const answer = await step(sent, this);
      return { protocol: 2, results: [], serverChanges: [], checkpoint: `place-${this.requests.length}`, ...answer };
    } finally {
      leave();
    }
  }

  /** Applies the mutations, each at most once. */
  apply({ mutations }: SyncPushRequest): SyncMutationResult[] {
    return mutations.map((mutation) => {
      const known = this.#versionById.get(mutation.id);
      const key = recordKey(mutation);
      const serverVersion = known ?? (this.#versionByRecord.get(key) ?? 0) + 1;
      if (known === undefined) {
        this.applied.push(mutation.id);
        this.#versionByRecord.set(key, serverVersion);
        this.#versionById.set(mutation.id, serverVersion);
      }
      return { mutationId: mutation.id, status: 'applied', serverVersion, ...(known ? { duplicate: true } : {}) };
    });
  }
}

/** Applies everything, and has no news. */
export const applies: Step = (request, server) => ({ results: server.apply(request) });

/** Applies everything, and adds to the answer. */
export function appliesWith(answer: Partial<SyncPushResponse>): Step {
  return (request, server) => ({ results: server.apply(request), ...answer });
}

/** Applies everything, and the answer is lost. */
export const losesAnswer: Step = (request, server) => {
  server.apply(request);
  throw new TransportError('The answer was lost.', { type: 'unreachable' });
};

/** Cannot be reached. */
export const isGone: Step = () => {
  throw new TransportError('The server could not be reached.', { type: 'unreachable' });
};

/** Never answers, whatever becomes of the signal. */
export const hangs: Step = () => new Promise(() => {});

/** Refuses the request as a whole. */
export function refuses(status: number, code?: RequestErrorCode, retryAfterMs?: number): Step {
  return () => {
    throw new TransportError(`Refused with ${status}.`, {
      type: 'refused',
      status,
      ...(code ? { code } : {}),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  };
}
