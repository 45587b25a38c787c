/** Watches a transport's requests and keeps the last ones. */
import type { MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import type { SyncTransport } from '../transport/transport.js';
import { outcomesIn, type RecordedOutcome, type RecordedRequest, type RequestOutcome } from './recorded-request.js';

export interface RecorderParts {
  readonly now: () => number;
  /** How many requests and outcomes are kept. */
  readonly keep: number;
  readonly onChanged: () => void;
}

interface WatchedRequest {
  readonly lastCheckpoint: string | null;
  readonly mutations?: readonly MutationLogEntry[];
}

export class RequestRecorder {
  readonly #parts: RecorderParts;
  #requests: readonly RecordedRequest[] = [];
  #outcomes: readonly RecordedOutcome[] = [];
  #count = 0;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** The last requests, the newest first. */
  get requests(): readonly RecordedRequest[] {
    return this.#requests;
  }

  /** The last outcomes of mutations, the newest first. */
  get outcomes(): readonly RecordedOutcome[] {
    return this.#outcomes;
  }

  /** The same transport, watched. Anything beside `push` and `pull` is left as it is. */
  watch(transport: SyncTransport): SyncTransport {
    const record = this.#record.bind(this);
    // A proxy, because a transport may be an object of any class, with private fields of its own.
    return new Proxy(transport, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        const call = (...args: readonly unknown[]) => value.apply(target, args);
        if (key !== 'push' && key !== 'pull') return call;
        return (request: WatchedRequest, ...rest: readonly unknown[]) =>
          record(key, request, () => call(request, ...rest));
      },
    });
  }

  async #record(kind: 'push' | 'pull', request: WatchedRequest, send: () => unknown): Promise<unknown> {
    const { now } = this.#parts;
    const { mutations = [], lastCheckpoint: checkpoint } = request;
    const startedAt = now();
    const recorded: RecordedRequest = {
      number: ++this.#count,
      kind,
      startedAt,
      mutationIds: mutations.map(({ id }) => id),
      checkpoint,
      outcome: { status: 'under way' },
    };
    this.#requests = this.#kept([recorded, ...this.#requests]);
    this.#parts.onChanged();
    try {
      const answer = await send();
      this.#settle(recorded, { tookMs: now() - startedAt, ...answeredWith(answer) });
      if (isAnswer(answer)) {
        const outcomes = outcomesIn(answer, { mutations, at: now() });
        this.#outcomes = this.#kept([...outcomes.toReversed(), ...this.#outcomes]);
      }
      return answer;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.#settle(recorded, { status: 'failed', tookMs: now() - startedAt, message });
      throw error;
    } finally {
      this.#parts.onChanged();
    }
  }

  #settle({ number }: RecordedRequest, outcome: RequestOutcome): void {
    this.#requests = this.#requests.map((request) => (request.number === number ? { ...request, outcome } : request));
  }

  #kept<Item>(items: readonly Item[]): readonly Item[] {
    return items.slice(0, this.#parts.keep);
  }
}

/** An application's own transport may answer anything; the caller judges it. */
function isAnswer(answer: unknown): answer is Partial<SyncPushResponse> {
  return typeof answer === 'object' && answer !== null && !(answer instanceof Response);
}

type WhenAnswered = Omit<Extract<RequestOutcome, { status: 'answered' }>, 'tookMs'>;

function answeredWith(answer: unknown): WhenAnswered {
  const { serverChanges, checkpoint, hasMore, reset } = isAnswer(answer) ? answer : {};
  return {
    status: 'answered',
    changes: Array.isArray(serverChanges) ? serverChanges.length : 0,
    checkpoint: String(checkpoint ?? 'none'),
    hasMore: hasMore === true,
    reset: reset ?? null,
  };
}
