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
  options?: TransportOptions,
) => Partial<SyncPushResponse> | Promise<Partial<SyncPushResponse>>;

export class ScriptedServer implements SyncTransport {
  /** Every request so far, as it came over the wire. */
  readonly requests: SyncPushRequest[] = [];
  /** The ids of the mutations applied so far, in their order. */
  readonly applied: string[] = [];
  /** The most requests that the client was waiting for at once. */
  mostAtOnce = 0;
  /** True once a mutation was sent while another request that carried it was under way. */
  hasHadTwice = false;
  readonly #script: Step[];
  readonly #otherwise: Step;
  readonly #versionByRecord = new Map<string, number>();
  readonly #versionById = new Map<string, number>();
  #atOnce = 0;
  readonly #underWay = new Set<string>();
  /** Resolves after so many milliseconds of the test's clock. */
  readonly wait: (ms: number) => Promise<void>;

  /** Answers by `script`, request by request, and then by `otherwise`. */
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
    const ids = sent.mutations.map(({ id }) => id);
    this.hasHadTwice ||= ids.some((id) => this.#underWay.has(id));
    for (const id of ids) this.#underWay.add(id);
    let isWaitedFor = true;
    const leave = () => {
      if (!isWaitedFor) return;
      isWaitedFor = false;
      this.#atOnce -= 1;
      for (const id of ids) this.#underWay.delete(id);
    };
    options?.signal.addEventListener('abort', leave);
    const checkpoint = `place-${this.requests.length}`;
    try {
      const step = this.#script.shift() ?? this.#otherwise;
      const answer = await step(sent, this, options);
      return { protocol: 2, results: [], serverChanges: [], checkpoint, ...answer };
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

/** Applies everything, announces where the answer will end, and takes a while to bring it. */
export function announces({
  answer = {},
  place,
  turns = 30,
}: {
  readonly answer?: Partial<SyncPushResponse>;
  readonly place?: string;
  readonly turns?: number;
} = {}): Step {
  return async (request, server, options) => {
    const results = server.apply(request);
    options?.onNextPage?.(place ?? `place-${server.requests.length}`);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    return { results, ...answer };
  };
}

/** Applies everything and announces where the answer would end, which is then lost. */
export const losesAnnounced: Step = async (request, server, options) => {
  await announces()(request, server, options);
  throw new TransportError('The answer was lost.', { type: 'unreachable' });
};

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
