/**
 * When the client talks to the server: a pure machine, `(state, event) → state + effect`.
 *
 *          recorded               due, requested, online
 *   idle ───────────▶ waiting ─────────────────────────────▶ syncing ──┬── drained ─────────▶ idle, or waiting for what
 *    ▲  │             ▲     │                                ▲   ▲     │                      is held or was recorded since
 *    │  └── offline ──┼─────┴──▶ offline ──online, requested─┘   │     ├── failed ──────────▶ waiting: backoff
 *    │                │             ▲                            │     ├── failed, no network ─▶ offline
 *    └── cancelled ───┘             └────────────────────────────┼─────┘
 *                                                                └── resumed, requested ── needs-auth ◀── refused
 *   any ──paused──▶ paused ──resumed──▶ syncing        any ──closed──▶ closed
 *
 * A wait that the server asked for (`Retry-After`) ends when it is over or the application requests, not with `online`.
 *
 * Liveness (I13): while anything is pending, the client is `syncing`, `waiting` with a timer, or in a state that says
 * what it waits for: the network (`offline`), the user (`needs-auth`), the application (`paused`, or `idle` after it
 * cancelled a scheduled sync).
 */
import { assertNever } from '@objectql/sync-types';
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
  | { readonly type: 'recorded'; readonly now: number; readonly debounceMs: number }
  /** The application or the server's poke asks for a sync now. */
  | { readonly type: 'requested' }
  | { readonly type: 'due' }
  /** What the sync was asked for is done. */
  | {
      readonly type: 'drained';
      readonly now: number;
      readonly isOnline: boolean;
      /** The debounce of what was recorded since and can be sent, or `null` when there is nothing. */
      readonly unsentDebounceMs: number | null;
      /** When the first held record may be tried again, epoch milliseconds. */
      readonly heldUntil: number | null;
    }
  | {
      readonly type: 'failed';
      readonly now: number;
      readonly isOnline: boolean;
      readonly retryAfterMs: number | undefined;
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

export type SyncEffect =
  | { readonly do: 'nothing' }
  | { readonly do: 'sync' }
  | { readonly do: 'arm'; readonly until: number }
  | { readonly do: 'disarm' }
  /** Ends the sync under way, and the timer. */
  | { readonly do: 'stop' };

export interface Transition {
  readonly state: SyncState;
  readonly effect: SyncEffect;
}

/** 10 s: the longest a steady stream of edits may put off sending. A longer debounce is its own longest wait. */
export const DEBOUNCE_MAX_WAIT_MS = 10_000;

/** Where a client starts. */
export function initialState({ isEnabled, isOnline }: { isEnabled: boolean; isOnline: boolean }): SyncState {
  if (!isEnabled) return { at: 'disabled' };
  return isOnline ? { at: 'idle' } : { at: 'offline', failures: 0 };
}

/** The machine's next state and what is to be done for it. */
export function transition(state: SyncState, event: SyncEvent): Transition {
  if (state.at === 'closed') return stay(state);
  if (event.type === 'closed') return { state: { at: 'closed' }, effect: { do: 'stop' } };
  if (state.at === 'disabled') return stay(state);
  if (event.type === 'paused') return { state: { at: 'paused' }, effect: { do: 'stop' } };
  if (event.type === 'refused') return { state: { at: 'needs-auth', why: event.why }, effect: { do: 'disarm' } };
  switch (state.at) {
    case 'idle':
      return whileIdle(state, event);
    case 'waiting':
      return whileWaiting(state, event);
    case 'syncing':
      return whileSyncing(state, event);
    case 'offline':
      return event.type === 'online' || event.type === 'requested' ? sync(state) : stay(state);
    case 'needs-auth':
      return event.type === 'resumed' || event.type === 'requested' ? sync(state) : stay(state);
    case 'paused':
      return event.type === 'resumed' ? sync(state) : stay(state);
    default:
      return assertNever(state);
  }
}

function whileIdle(state: At<'idle'>, event: SyncEvent): Transition {
  switch (event.type) {
    case 'recorded':
      return debounce(event, event.now);
    case 'requested':
    case 'online':
      return sync(state);
    case 'offline':
      return { state: { at: 'offline', failures: 0 }, effect: { do: 'nothing' } };
    default:
      return stay(state);
  }
}

function whileWaiting(state: At<'waiting'>, event: SyncEvent): Transition {
  switch (event.type) {
    case 'recorded':
      return recordedWhileWaiting(state, event);
    case 'online':
      // People look at their devices often; a server that asked to be left alone is.
      return state.reason === 'retry-after' ? stay(state) : sync(state);
    case 'due':
    case 'requested':
      return sync(state);
    case 'offline':
      return { state: { at: 'offline', failures: state.failures }, effect: { do: 'disarm' } };
    case 'cancelled':
      return state.reason === 'debounce' ? { state: { at: 'idle' }, effect: { do: 'disarm' } } : stay(state);
    default:
      return stay(state);
  }
}

function recordedWhileWaiting(state: At<'waiting'>, event: EventOf<'recorded'>): Transition {
  switch (state.reason) {
    case 'debounce':
      return debounce(event, state.since);
    case 'held':
      // A held record keeps no other waiting.
      return event.now + event.debounceMs < state.until ? debounce(event, event.now) : stay(state);
    case 'backoff':
    case 'retry-after':
      // A server that fails is not asked sooner.
      return stay(state);
    default:
      return assertNever(state.reason);
  }
}

function whileSyncing(state: At<'syncing'>, event: SyncEvent): Transition {
  switch (event.type) {
    case 'drained':
      return drained(event);
    case 'failed':
      return failed(state.failures + 1, event);
    default:
      return stay(state);
  }
}

function drained({ now, isOnline, unsentDebounceMs, heldUntil }: EventOf<'drained'>): Transition {
  if (!isOnline) return { state: { at: 'offline', failures: 0 }, effect: { do: 'nothing' } };
  if (unsentDebounceMs !== null) return debounce({ now, debounceMs: unsentDebounceMs }, now);
  if (heldUntil === null) return { state: { at: 'idle' }, effect: { do: 'nothing' } };
  return wait({ until: Math.max(now, heldUntil), reason: 'held', since: now, failures: 0 });
}

function failed(failures: number, { now, isOnline, retryAfterMs, jitter }: EventOf<'failed'>): Transition {
  if (!isOnline) return { state: { at: 'offline', failures }, effect: { do: 'nothing' } };
  const until = now + retryDelayMs(retryAfterMs, failures, jitter);
  return wait({ until, reason: retryAfterMs ? 'retry-after' : 'backoff', since: now, failures });
}

/** Quiet for `debounceMs`, but never longer than the maximum since the first of the mutations that wait. */
function debounce({ now, debounceMs }: Pick<EventOf<'recorded'>, 'now' | 'debounceMs'>, since: number): Transition {
  const until = Math.min(now + debounceMs, since + Math.max(debounceMs, DEBOUNCE_MAX_WAIT_MS));
  return wait({ until, reason: 'debounce', since, failures: 0 });
}

function wait(waiting: Omit<At<'waiting'>, 'at'>): Transition {
  return { state: { at: 'waiting', ...waiting }, effect: { do: 'arm', until: waiting.until } };
}

function sync(state: SyncState): Transition {
  return { state: { at: 'syncing', failures: 'failures' in state ? state.failures : 0 }, effect: { do: 'sync' } };
}

function stay(state: SyncState): Transition {
  return { state, effect: { do: 'nothing' } };
}

type At<Name extends SyncState['at']> = Extract<SyncState, { readonly at: Name }>;
type EventOf<Type extends SyncEvent['type']> = Extract<SyncEvent, { readonly type: Type }>;
