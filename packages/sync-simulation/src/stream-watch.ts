/** Watches the live streams as a bystander. */
import type { Gate } from './gate.js';
import { findStreamLeak } from './invariants/secrecy-of-streams.js';
import type { ServerTruth } from './server-truth.js';
import type { Verdict } from './violation.js';

/** A stream at the server. */
export interface OpenStream {
  /** The server process. */
  readonly gate: Gate;
  /** As the server has it. A request that nobody holds any more cannot be aborted: it must live as long as the stream. */
  readonly request: Request;
  readonly openedAt: number;
}

export interface StreamWatchParts {
  readonly verdict: Verdict;
  readonly now: () => number;
  readonly truth: () => Pick<ServerTruth, 'head'>;
}

const MINUTE_MS = 60_000;
/** 15 min: by then the server ends a stream, to find out who is asking. */
const MAX_STREAM_MS = 15 * MINUTE_MS;
/** 5: as many as a process serves to one user. */
const MAX_STREAMS = 5;
/**
 * 60 requests: a client that makes no pause at all asks for hundreds. A stream that lasts 3 s is followed by the next at
 * once, and each time that the network comes back, the first tries come within seconds, whatever there was before.
 */
const MAX_REQUESTS_A_MINUTE = 60;

export class StreamWatch {
  readonly #parts: StreamWatchParts;
  /** When each process of a device has asked for its last streams. */
  readonly #askedAt = new WeakMap<Gate, readonly number[]>();

  constructor(parts: StreamWatchParts) {
    this.#parts = parts;
  }

  /** A client asks for a stream. */
  asked({ name, gate }: { readonly name: string; readonly gate: Gate }): void {
    const now = this.#parts.now();
    const lately = [...(this.#askedAt.get(gate) ?? []).filter((at) => at > now - MINUTE_MS), now];
    this.#askedAt.set(gate, lately);
    if (lately.length > MAX_REQUESTS_A_MINUTE) this.#report(`${name} asks for a stream again and again.`);
  }

  /** The server has opened a stream, beside others. */
  opened(all: readonly OpenStream[], { gate, request }: OpenStream): void {
    const user = userOf(request);
    const own = all.filter((other) => other.gate === gate && userOf(other.request) === user);
    if (own.length > MAX_STREAMS) this.#report(`One process serves ${own.length} streams to ${user}.`);
  }

  /** The server says something on a stream. */
  said(text: string, { request, openedAt }: OpenStream): void {
    const { verdict, now, truth } = this.#parts;
    const leak = findStreamLeak(text, {
      asked: new URL(request.url).searchParams.get('checkpoint'),
      head: truth().head,
    });
    if (leak) verdict.report('I12', leak);
    if (now() > openedAt + MAX_STREAM_MS) this.#report('A stream has not ended after 15 minutes.');
  }

  #report(message: string): void {
    this.#parts.verdict.report('live', message);
  }
}

function userOf({ headers }: Request): string | null {
  return headers.get('authorization');
}
