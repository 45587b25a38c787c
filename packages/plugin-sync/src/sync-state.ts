/**
 * When the client talks to the server: a pure machine, `(state, event) → state + effect`.
 *
 *            recorded              due, requested, online
 *   idle ────────────▶ waiting ───────────────────────────▶ syncing ──drained──▶ idle, or waiting for a held record
 *    ▲                  ▲   ▲                                │ │ │
 *    └─── resumed ──┐   │   └──────── failed: backoff ───────┘ │ └── failed without a network ──▶ offline ──online──▶ syncing
 *                 paused│                                      └──── refused: who are you? ────▶ needs-auth ──resumed──▶ syncing
 *                       └─── a recorded mutation never waits longer than its debounce allows
 *
 * Liveness (I13): while anything is pending and nobody paused the client, it is `syncing`, `waiting` with a timer, or
 * in a state that says what the user must do (`offline`, `needs-auth`).
 */
import { assertNever } from '@objectql/sync-types';

export type SyncState =
  | { readonly at: 'idle' }
  /** A timer is armed. `since` is when the first of the recorded mutations that it waits for was recorded. */
  | {
      readonly at: 'waiting';
      readonly until: number;
      readonly reason: 'debounce' | 'backoff' | 'held';
      readonly since: number;
      readonly failures: number;
    }
  | { readonly at: 'syncing'; readonly failures: number }
  | { readonly at: 'offline'; readonly failures: number }
  | { readonly at: 'needs-auth'; readonly why: 'unauthenticated' | 'wrong-user' }
  | { readonly at: 'paused' }
  | { readonly at: 'closed' };

export type SyncEvent =
  | { readonly type: 'recorded'; readonly now: number; readonly debounceMs: number }
  /** The application or the server's poke asks for a sync now. */
  | { readonly type: 'requested' }
  | { readonly type: 'due' }
  /** Everything that could be sent and pulled was. `heldUntil` is when the first held record may be tried again. */
  | { readonly type: 'drained'; readonly now: number; readonly heldUntil: number | null }
  | {
      readonly type: 'failed';
      readonly now: number;
      readonly isOnline: boolean;
      readonly retryAfterMs: number | undefined;
      /** In [0, 1): spreads the retries of many clients. */
      readonly jitter: number;
    }
  | { readonly type: 'refused'; readonly why: 'unauthenticated' | 'wrong-user' }
  | { readonly type: 'online' }
  | { readonly type: 'offline' }
  | { readonly type: 'paused' }
  | { readonly type: 'resumed' }
  | { readonly type: 'closed' };

export type SyncEffect =
  | { readonly do: 'nothing' }
  | { readonly do: 'sync' }
  | { readonly do: 'arm'; readonly until: number }
  | { readonly do: 'disarm' };

export interface Transition {
  readonly state: SyncState;
  readonly effect: SyncEffect;
}

/** 1 s: the first retry comes within it. */
export const BACKOFF_BASE_MS = 1000;
/** 60 s: the longest pause between two tries, so that a server that is back is found within a minute. */
export const BACKOFF_MAX_MS = 60_000;
/** 10 s: the longest a steady stream of edits may put off sending. */
export const DEBOUNCE_MAX_WAIT_MS = 10_000;

export const INITIAL_STATE: SyncState = { at: 'idle' };

/** The machine's next state and what is to be done for it. */
export function transition(state: SyncState, event: SyncEvent): Transition {
  if (state.at === 'closed') return stay(state);
  switch (event.type) {
    case 'closed':
      return { state: { at: 'closed' }, effect: { do: 'disarm' } };
    case 'paused':
      return { state: { at: 'paused' }, effect: { do: 'disarm' } };
    case 'resumed':
      return state.at === 'paused' || state.at === 'needs-auth' ? sync(state) : stay(state);
    case 'requested':
      return state.at === 'paused' || state.at === 'syncing' ? stay(state) : sync(state);
    case 'recorded':
      return recorded(state, event);
    case 'due':
      return state.at === 'waiting' ? sync(state) : stay(state);
    case 'online':
      return state.at === 'offline' || (state.at === 'waiting' && state.reason === 'backoff')
        ? sync(state)
        : stay(state);
    case 'offline':
      return state.at === 'idle' || state.at === 'waiting'
        ? { state: { at: 'offline', failures: failuresOf(state) }, effect: { do: 'disarm' } }
        : stay(state);
    case 'drained':
      return state.at === 'syncing' ? drained(event) : stay(state);
    case 'failed':
      return state.at === 'syncing' ? failed(state.failures, event) : stay(state);
    case 'refused':
      return state.at === 'syncing'
        ? { state: { at: 'needs-auth', why: event.why }, effect: { do: 'disarm' } }
        : stay(state);
    default:
      return assertNever(event);
  }
}

/** Full jitter: a random part of a delay that doubles with each failure. */
export function backoffMs(failures: number, jitter: number): number {
  const ceiling = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * 2 ** Math.min(failures - 1, MAX_DOUBLINGS));
  return Math.ceil(ceiling * jitter);
}

/** 2^6 s exceeds the maximum; more doublings would only overflow. */
const MAX_DOUBLINGS = 6;

function recorded(state: SyncState, { now, debounceMs }: Extract<SyncEvent, { type: 'recorded' }>): Transition {
  if (state.at === 'idle') return wait({ until: now + debounceMs, reason: 'debounce', since: now, failures: 0 });
  if (state.at !== 'waiting') return stay(state);
  if (state.reason === 'debounce') {
    const until = Math.min(now + debounceMs, state.since + Math.max(debounceMs, DEBOUNCE_MAX_WAIT_MS));
    return wait({ until, reason: 'debounce', since: state.since, failures: 0 });
  }
  // A held record must not keep others waiting; a server that fails must not be asked sooner.
  if (state.reason === 'held' && now + debounceMs < state.until) {
    return wait({ until: now + debounceMs, reason: 'debounce', since: now, failures: 0 });
  }
  return stay(state);
}

function drained({ now, heldUntil }: Extract<SyncEvent, { type: 'drained' }>): Transition {
  if (heldUntil === null) return { state: { at: 'idle' }, effect: { do: 'nothing' } };
  return wait({ until: Math.max(now, heldUntil), reason: 'held', since: now, failures: 0 });
}

function failed(failures: number, event: Extract<SyncEvent, { type: 'failed' }>): Transition {
  const { now, isOnline, retryAfterMs, jitter } = event;
  if (!isOnline) return { state: { at: 'offline', failures: failures + 1 }, effect: { do: 'nothing' } };
  const until = now + Math.max(retryAfterMs ?? 0, backoffMs(failures + 1, jitter));
  return wait({ until, reason: 'backoff', since: now, failures: failures + 1 });
}

function wait(waiting: Omit<Extract<SyncState, { at: 'waiting' }>, 'at'>): Transition {
  return { state: { at: 'waiting', ...waiting }, effect: { do: 'arm', until: waiting.until } };
}

function sync(state: SyncState): Transition {
  return { state: { at: 'syncing', failures: failuresOf(state) }, effect: { do: 'sync' } };
}

function failuresOf(state: SyncState): number {
  return 'failures' in state ? state.failures : 0;
}

function stay(state: SyncState): Transition {
  return { state, effect: { do: 'nothing' } };
}
