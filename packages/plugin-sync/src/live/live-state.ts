/**
 * When the client holds a stream, and what it does if it cannot: a pure machine, `(state, event) → state, and whether
 * to ask for changes now`.
 *
 *   off ──wanted──▶ starting ──has a checkpoint──▶ connecting ──heard──▶ open
 *    ▲                                              ▲ ▲  │ │              │ │
 *    │                                          due │ │  │ └──ended──┐    │ └──silent──▶ connecting
 *   any ──not wanted                     waiting ───┘ │  │           ▼    ▼
 *                                           ▲         │  │         waiting: backoff
 *                                           │         │  └─silent, or refused──▶ polling ──due──▶ polling: asks
 *                                           │         └──────── every 10th time, or when the device wakes ┘
 *
 * A stream that is silent from its beginning is held back by something on the way: the server's first poke comes at once.
 * The first such stream is soon followed by another one, which knows.
 * After three failures in a row each try also asks, so that changes come even if only streams fail.
 */
import { assertNever, STREAM_HEARTBEAT_MS } from '@objectql/sync-types';
import { RETRY_AFTER_MAX_MS, retryDelayMs } from '../cycle/backoff.js';
import type { LiveStatus } from './live-port.js';

export type LiveState =
  | { readonly at: 'off' }
  /** Asks for changes at `until`, then waits for the answer: a stream begins at the client's checkpoint. */
  | { readonly at: 'starting'; readonly until: number | null }
  /** A stream is being opened; something must come by `until`. */
  | { readonly at: 'connecting'; readonly until: number; readonly failures: number }
  /** The next sign of life must come by `until`; a stream that ends before `steadyAt` is one more failure. */
  | { readonly at: 'open'; readonly until: number; readonly steadyAt: number; readonly failures: number }
  /** The next stream is opened at `until`. */
  | { readonly at: 'waiting'; readonly until: number; readonly failures: number }
  /** Asks at `until`, and opens a stream after `left` more questions. */
  | { readonly at: 'polling'; readonly until: number; readonly left: number };

export type LiveEvent =
  /** What is known of the client now. */
  | { readonly type: 'followed'; readonly isWanted: boolean; readonly hasCheckpoint: boolean }
  | { readonly type: 'due' }
  /** Anything came through the stream. */
  | { readonly type: 'heard' }
  /** The stream ended, or could not be opened now. */
  | { readonly type: 'ended'; readonly retryAfterMs?: number | undefined }
  /** There is no stream for this client, for `retryAfterMs` at least. */
  | { readonly type: 'refused'; readonly retryAfterMs?: number | undefined }
  /** The device has its network back, or somebody looks at it again. */
  | { readonly type: 'woke' };

/** Now, epoch milliseconds, and a number in [0, 1) that spreads many clients. */
export interface LiveMoment {
  readonly now: number;
  readonly jitter: number;
}

export interface LiveTransition {
  readonly state: LiveState;
  /** Whether to ask the server for changes now. */
  readonly polls: boolean;
}

/**
 * 3 s: a host that limits each stream, often to 10 s, lets it live longer; one that blocks streams ends them at once.
 */
export const STEADY_MS = 3000;
/** 10 s: longer than the slowest mobile network takes to bring a first byte. */
export const FIRST_WORD_MS = 10_000;
/** Two heartbeats and a half: one may be late; if two are missing, the connection is dead. */
export const SILENCE_MS = 2.5 * STREAM_HEARTBEAT_MS;
/**
 * 30 s on average between two questions: a server can bear that from all its clients, and a person a list that lags so
 * far.
 */
export const POLL_MS = 30_000;
/** 10 questions, about 5 min: a user who changes networks soon gets a stream, and a blocked one is rarely tried. */
export const POLLS_BEFORE_STREAM = 10;
/** 3: a server that restarts is back by then. */
export const FAILURES_BEFORE_POLLING = 3;

/** The machine's next state, and whether changes are to be asked for. */
export function liveTransition(state: LiveState, event: LiveEvent, moment: LiveMoment): LiveTransition {
  if (event.type === 'followed') return followed(state, event, moment);
  switch (state.at) {
    case 'off':
      return stay(state);
    case 'starting':
      return event.type === 'due' ? { state: { at: 'starting', until: null }, polls: true } : stay(state);
    case 'connecting':
      return whileConnecting(state, event, moment);
    case 'open':
      return whileOpen(state, event, moment);
    case 'waiting':
      if (event.type === 'due') return connect(moment, state.failures);
      return event.type === 'woke' ? connect(moment, 0) : stay(state);
    case 'polling':
      return whilePolling(state, event, moment);
    default:
      return assertNever(state);
  }
}

/** What a user interface shows. */
export function liveStatusOf(state: LiveState): LiveStatus {
  if (state.at === 'off' || state.at === 'open' || state.at === 'polling') return state.at;
  return 'failures' in state && state.failures >= FAILURES_BEFORE_POLLING ? 'polling' : 'connecting';
}

function followed(state: LiveState, event: EventOf<'followed'>, moment: LiveMoment): LiveTransition {
  if (!event.isWanted) return stay(state.at === 'off' ? state : { at: 'off' });
  if (state.at !== 'off' && state.at !== 'starting') return stay(state);
  if (event.hasCheckpoint) return connect(moment, 0);
  return stay(state.at === 'off' ? { at: 'starting', until: moment.now } : state);
}

function whileConnecting(state: At<'connecting'>, event: LiveEvent, moment: LiveMoment): LiveTransition {
  switch (event.type) {
    case 'heard':
      return stay({ ...state, at: 'open', until: moment.now + SILENCE_MS, steadyAt: moment.now + STEADY_MS });
    case 'ended':
      return wait(state.failures + 1, event.retryAfterMs, moment);
    case 'refused':
      return startPolling(moment, event.retryAfterMs);
    case 'due':
      // The first time, the network or this device may only have been busy.
      return startPolling(moment, state.failures < FAILURES_BEFORE_POLLING ? POLL_MS : undefined);
    default:
      return stay(state);
  }
}

function whileOpen(state: At<'open'>, event: LiveEvent, moment: LiveMoment): LiveTransition {
  switch (event.type) {
    case 'heard':
      return stay({ ...state, until: moment.now + SILENCE_MS });
    case 'ended':
      // Something on the way may pass the first word and then end each stream: it must not be tried without a pause.
      return wait(moment.now < state.steadyAt ? state.failures + 1 : 1, event.retryAfterMs, moment);
    case 'due':
      return connect(moment, 1);
    case 'woke':
      // After a device slept, the old connection may have nobody at its other end.
      return moment.now >= state.until ? connect(moment, 0) : stay(state);
    default:
      return stay(state);
  }
}

function whilePolling(state: At<'polling'>, event: LiveEvent, moment: LiveMoment): LiveTransition {
  if (event.type === 'woke') return connect(moment, 0);
  if (event.type !== 'due') return stay(state);
  if (state.left === 0) return connect(moment, FAILURES_BEFORE_POLLING);
  return { state: poll(moment, state.left - 1), polls: true };
}

/** After some failures, each try to connect also asks, because only the stream may fail. */
function connect({ now }: LiveMoment, failures: number): LiveTransition {
  const state = { at: 'connecting', until: now + FIRST_WORD_MS, failures } as const;
  return { state, polls: failures >= FAILURES_BEFORE_POLLING };
}

function wait(failures: number, retryAfterMs = 0, { now, jitter }: LiveMoment): LiveTransition {
  return stay({ at: 'waiting', until: now + retryDelayMs(retryAfterMs, failures, jitter), failures });
}

function startPolling(moment: LiveMoment, retryAfterMs = POLLS_BEFORE_STREAM * POLL_MS): LiveTransition {
  return { state: poll(moment, Math.ceil(Math.min(retryAfterMs, RETRY_AFTER_MAX_MS) / POLL_MS)), polls: true };
}

function poll({ now, jitter }: LiveMoment, left: number): LiveState {
  return { at: 'polling', until: now + POLL_MS * (0.5 + jitter), left };
}

function stay(state: LiveState): LiveTransition {
  return { state, polls: false };
}

type At<Name extends LiveState['at']> = Extract<LiveState, { readonly at: Name }>;
type EventOf<Type extends LiveEvent['type']> = Extract<LiveEvent, { readonly type: Type }>;
