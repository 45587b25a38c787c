/**
 * When the client talks to the server: a pure machine, `(state, event) → state`. What is to be done follows from the new
 * state: whoever enters `waiting` arms a timer, `syncing` starts a sync, and `paused` or `closed` ends it.
 *
 *          recorded               due, requested, online
 *   idle ───────────▶ waiting ─────────────────────────────▶ syncing ──┬── drained ─────────▶ idle, or waiting for what
 *    ▲  │             ▲     │                                ▲   ▲     │                      is held or was recorded since
 *    │  └── offline ──┼─────┴──▶ offline ──online, requested─┘   │     ├── failed ──────────▶ waiting: backoff
 *    │                │             ▲                            │     ├── failed, no network ─▶ offline
 *    └── cancelled ───┘             └────────────────────────────┼─────┘
 *                                                                └── resumed, requested ── needs-auth ◀── refused
 *                                                                    (unauthenticated: and online)
 *   any ──paused──▶ paused ──resumed──▶ syncing, or offline        any ──closed──▶ closed
 *
 * A wait that the server asked for (`Retry-After`) ends when it is over or a sync is requested, not with `online` or
 * `offline`.
 *
 * Liveness (I13): while anything is pending, the client is `syncing`, `waiting` with a timer, or in a state that says
 * what it waits for: the network (`offline`), the user (`needs-auth`), the application (`paused`, or `idle` after it
 * cancelled a scheduled sync).
 */
import { retryDelayMs } from './backoff.js';

export type SyncState =
  | { readonly at: 'idle' }
  /** A timer is armed for `until`. `since` is when the first of the mutations that wait for it was recorded. */
  | {
      readonly at: 'waiting';
      readonly until: number;
      readonly reason: 'debounce' | 'backoff' | 'retry-after' | 'held';
      readonly since: number;
      readonly failures: number;
    }
  | { readonly at: 'syncing'; readonly failures: number }
  | { readonly at: 'offline'; readonly failures: number }
  | { readonly at: 'needs-auth'; readonly why: 'unauthenticated' | 'wrong-user' }
  | { readonly at: 'paused' }
  /** No object takes part in sync. */
  | { readonly at: 'disabled' }
  | { readonly at: 'closed' };

export type SyncEvent =
  | { readonly type: 'recorded'; readonly debounceMs: number }
  /** The application or the server's poke asks for a sync now. */
  | { readonly type: 'requested' }
  | { readonly type: 'due' }
  /** What the sync was asked for is done. */
  | {
      readonly type: 'drained';
      /** The debounce of what was recorded since and can be sent; `null` when there is nothing. */
      readonly unsentDebounceMs: number | null;
      /** When the first held record may be tried again, epoch milliseconds. */
      readonly heldUntil: number | null;
    }
  | {
      readonly type: 'failed';
      readonly retryAfterMs: number | undefined;
      /** True when the sync settled mutations or stored pages before it failed. */
      readonly hasAdvanced: boolean;
      /** In [0, 1): spreads the retries of many clients. */
      readonly jitter: number;
    }
  | { readonly type: 'refused'; readonly why: 'unauthenticated' | 'wrong-user' }
  /** The network is back, or somebody looks at the device again. */
  | { readonly type: 'online' }
  | { readonly type: 'offline' }
  | { readonly type: 'cancelled' }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | { readonly type: 'closed' };

/** What the machine knows of the device. */
export interface DeviceNow {
  /** Epoch milliseconds. */
  readonly now: number;
  /** Whether there is a network. */
  readonly isOnline: boolean;
}

/** 10 s: the longest that a stream of edits may put off sending, unless the debounce itself is longer. */
export const DEBOUNCE_MAX_WAIT_MS = 10_000;

/** Where a client starts. */
export function initialState({ isEnabled, isOnline }: { isEnabled: boolean; isOnline: boolean }): SyncState {
  if (!isEnabled) return { at: 'disabled' };
  return isOnline ? { at: 'idle' } : { at: 'offline', failures: 0 };
}

/** The events that make a client sync at once, by its state; in `needs-auth`, by the reason. */
const STARTS: Readonly<Record<Exclude<SyncState['at'], 'needs-auth' | Ended> | Why, readonly SyncEvent['type'][]>> = {
  idle: ['requested', 'online'],
  waiting: ['requested', 'online', 'due'],
  syncing: [],
  offline: ['requested', 'online'],
  // A user who returns to the app may have signed in elsewhere. Another user's work is never sent unasked.
  unauthenticated: ['requested', 'resumed', 'online'],
  'wrong-user': ['requested', 'resumed'],
  paused: ['resumed'],
};

/** The machine's next state: the same object when the event changes nothing. */
export function transition(state: SyncState, event: SyncEvent, device: DeviceNow): SyncState {
  if (state.at === 'closed') return state;
  if (event.type === 'closed') return { at: 'closed' };
  if (state.at === 'disabled') return state;
  if (event.type === 'paused') return { at: 'paused' };
  if (event.type === 'refused') return { at: 'needs-auth', why: event.why };
  const failures = 'failures' in state ? state.failures : 0;
  // Users return often, and networks come and go: neither cuts short the wait a server asked for.
  const isTold = state.at === 'waiting' && state.reason === 'retry-after';
  if (isTold && (event.type === 'online' || event.type === 'offline')) return state;
  if (STARTS['why' in state ? state.why : state.at].includes(event.type))
    return { at: event.type === 'resumed' && !device.isOnline ? 'offline' : 'syncing', failures };
  if (state.at === 'syncing') {
    if (event.type === 'drained') return drained(event, device);
    return event.type === 'failed' ? failed(event.hasAdvanced ? 1 : failures + 1, event, device) : state;
  }
  if (state.at !== 'idle' && state.at !== 'waiting') return state;
  if (event.type === 'offline') return { at: 'offline', failures };
  if (event.type === 'recorded') return recorded(state, event.debounceMs, device.now);
  if (event.type === 'cancelled' && state.at === 'waiting' && state.reason === 'debounce') return { at: 'idle' };
  return state;
}

function recorded(state: At<'idle'> | At<'waiting'>, debounceMs: number, now: number): SyncState {
  if (state.at === 'idle') return debounce(debounceMs, now);
  // The minimum: otherwise a clock that was set back would prolong the longest wait by as much.
  if (state.reason === 'debounce') return debounce(debounceMs, now, Math.min(state.since, now));
  // A held record does not keep others waiting; a failing server is not asked sooner.
  return state.reason === 'held' && now + debounceMs < state.until ? debounce(debounceMs, now) : state;
}

function drained({ unsentDebounceMs, heldUntil }: EventOf<'drained'>, { now, isOnline }: DeviceNow): SyncState {
  if (!isOnline) return { at: 'offline', failures: 0 };
  if (unsentDebounceMs !== null) return debounce(unsentDebounceMs, now);
  if (heldUntil === null) return { at: 'idle' };
  return { at: 'waiting', until: heldUntil, reason: 'held', since: now, failures: 0 };
}

function failed(
  failures: number,
  { retryAfterMs, jitter }: EventOf<'failed'>,
  { now, isOnline }: DeviceNow,
): SyncState {
  if (!isOnline && !retryAfterMs) return { at: 'offline', failures };
  const until = now + retryDelayMs(retryAfterMs, failures, jitter);
  return { at: 'waiting', until, reason: retryAfterMs ? 'retry-after' : 'backoff', since: now, failures };
}

/** Waits for `debounceMs` of quiet, but no longer than the maximum since the first of the mutations that wait. */
function debounce(debounceMs: number, now: number, since = now): SyncState {
  const until = Math.min(now + debounceMs, since + Math.max(debounceMs, DEBOUNCE_MAX_WAIT_MS));
  return { at: 'waiting', until, reason: 'debounce', since, failures: 0 };
}

type Why = At<'needs-auth'>['why'];
/** The states in which a client starts nothing any more. */
type Ended = 'disabled' | 'closed';
type At<Name extends SyncState['at']> = Extract<SyncState, { readonly at: Name }>;
type EventOf<Type extends SyncEvent['type']> = Extract<SyncEvent, { readonly type: Type }>;
