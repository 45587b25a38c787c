import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  DEBOUNCE_MAX_WAIT_MS,
  initialState,
  type SyncEffect,
  type SyncEvent,
  type SyncState,
  transition,
} from './sync-state.js';

const NOW = 1000;

const states = {
  idle: { at: 'idle' },
  debouncing: { at: 'waiting', until: NOW + 50, reason: 'debounce', since: NOW - 50, failures: 0 },
  'backing off': { at: 'waiting', until: NOW + 4000, reason: 'backoff', since: NOW, failures: 3 },
  'told when': { at: 'waiting', until: NOW + 4000, reason: 'retry-after', since: NOW, failures: 1 },
  held: { at: 'waiting', until: NOW + 4000, reason: 'held', since: NOW, failures: 0 },
  syncing: { at: 'syncing', failures: 2 },
  offline: { at: 'offline', failures: 1 },
  'needs-auth': { at: 'needs-auth', why: 'unauthenticated' },
  paused: { at: 'paused' },
  disabled: { at: 'disabled' },
  closed: { at: 'closed' },
} as const satisfies Record<string, SyncState>;

const events = {
  recorded: { type: 'recorded', now: NOW, debounceMs: 100 },
  requested: { type: 'requested' },
  due: { type: 'due' },
  drained: { type: 'drained', now: NOW, isOnline: true, unsentDebounceMs: null, heldUntil: null },
  'drained, more recorded': { type: 'drained', now: NOW, isOnline: true, unsentDebounceMs: 100, heldUntil: NOW + 9 },
  'drained, one held': { type: 'drained', now: NOW, isOnline: true, unsentDebounceMs: null, heldUntil: NOW + 500 },
  'drained offline': { type: 'drained', now: NOW, isOnline: false, unsentDebounceMs: null, heldUntil: null },
  failed: { type: 'failed', now: NOW, isOnline: true, retryAfterMs: undefined, jitter: 0.5 },
  'failed, told when to retry': { type: 'failed', now: NOW, isOnline: true, retryAfterMs: 90_000, jitter: 0.5 },
  'failed offline': { type: 'failed', now: NOW, isOnline: false, retryAfterMs: undefined, jitter: 0.5 },
  refused: { type: 'refused', why: 'unauthenticated' },
  online: { type: 'online' },
  offline: { type: 'offline' },
  cancelled: { type: 'cancelled' },
  paused: { type: 'paused' },
  resumed: { type: 'resumed' },
  closed: { type: 'closed' },
} as const satisfies Record<string, SyncEvent>;

type StateName = keyof typeof states;
type EventName = keyof typeof events;
/** `-` for nothing at all; else the next state, and after `!` what is done. */
type Expected = '-' | `${string} !${SyncEffect['do']}`;

const nothing: Record<EventName, Expected> = {
  recorded: '-',
  requested: '-',
  due: '-',
  drained: '-',
  'drained, more recorded': '-',
  'drained, one held': '-',
  'drained offline': '-',
  failed: '-',
  'failed, told when to retry': '-',
  'failed offline': '-',
  refused: 'needs-auth unauthenticated !disarm',
  online: '-',
  offline: '-',
  cancelled: '-',
  paused: 'paused !stop',
  resumed: '-',
  closed: 'closed !stop',
};

const table: Record<StateName, Record<EventName, Expected>> = {
  idle: {
    ...nothing,
    recorded: 'debounce until +100 !arm',
    requested: 'syncing 0 !sync',
    online: 'syncing 0 !sync',
    offline: 'offline 0 !nothing',
  },
  debouncing: {
    ...nothing,
    recorded: 'debounce until +100 !arm',
    requested: 'syncing 0 !sync',
    due: 'syncing 0 !sync',
    online: 'syncing 0 !sync',
    offline: 'offline 0 !disarm',
    cancelled: 'idle !disarm',
  },
  'backing off': {
    ...nothing,
    requested: 'syncing 3 !sync',
    due: 'syncing 3 !sync',
    online: 'syncing 3 !sync',
    offline: 'offline 3 !disarm',
  },
  'told when': {
    ...nothing,
    requested: 'syncing 1 !sync',
    due: 'syncing 1 !sync',
    offline: 'offline 1 !disarm',
  },
  held: {
    ...nothing,
    recorded: 'debounce until +100 !arm',
    requested: 'syncing 0 !sync',
    due: 'syncing 0 !sync',
    online: 'syncing 0 !sync',
    offline: 'offline 0 !disarm',
  },
  syncing: {
    ...nothing,
    drained: 'idle !nothing',
    'drained, more recorded': 'debounce until +100 !arm',
    'drained, one held': 'held until +500 !arm',
    'drained offline': 'offline 0 !nothing',
    failed: 'backoff until +2000 !arm',
    'failed, told when to retry': 'retry-after until +90000 !arm',
    'failed offline': 'offline 3 !nothing',
  },
  offline: { ...nothing, requested: 'syncing 1 !sync', online: 'syncing 1 !sync' },
  'needs-auth': { ...nothing, requested: 'syncing 0 !sync', resumed: 'syncing 0 !sync' },
  paused: { ...nothing, resumed: 'syncing 0 !sync' },
  disabled: { ...nothing, refused: '-', paused: '-' },
  closed: { ...nothing, refused: '-', paused: '-', closed: '-' },
};

for (const stateName of Object.keys(states) as StateName[]) {
  test(`knows what every event does while ${stateName}`, () => {
    const state = states[stateName];
    const actual = Object.fromEntries(
      Object.entries(events).map(([name, event]) => [name, describe(state, transition(state, event))]),
    );
    expect(actual).toEqual(table[stateName]);
  });
}

function describe(before: SyncState, { state, effect }: ReturnType<typeof transition>): string {
  if (state === before && effect.do === 'nothing') return '-';
  return `${nameOf(state)} !${effect.do}`;
}

function nameOf(state: SyncState): string {
  switch (state.at) {
    case 'waiting':
      return `${state.reason} until +${state.until - NOW}`;
    case 'syncing':
    case 'offline':
      return `${state.at} ${state.failures}`;
    case 'needs-auth':
      return `${state.at} ${state.why}`;
    default:
      return state.at;
  }
}

test('sends a steady stream of edits after the longest wait, however often the debounce begins anew', () => {
  let state: SyncState = { at: 'idle' };
  for (let now = 0; now <= 60_000 && state.at !== 'syncing'; now += 50) {
    if (state.at === 'waiting' && state.until <= now) {
      expect(now).toBe(DEBOUNCE_MAX_WAIT_MS);
      state = transition(state, { type: 'due' }).state;
    } else state = transition(state, { type: 'recorded', now, debounceMs: 100 }).state;
  }
  expect(state.at).toBe('syncing');
});

test('waits as long as a debounce that is longer than the longest wait', () => {
  const { state } = transition({ at: 'idle' }, { type: 'recorded', now: 0, debounceMs: 30_000 });
  expect(state).toEqual({ at: 'waiting', until: 30_000, reason: 'debounce', since: 0, failures: 0 });
});

test('starts offline on a device without a network, and nowhere at all without an object to sync', () => {
  expect([
    initialState({ isEnabled: true, isOnline: true }),
    initialState({ isEnabled: true, isOnline: false }),
    initialState({ isEnabled: false, isOnline: true }),
  ]).toEqual([{ at: 'idle' }, { at: 'offline', failures: 0 }, { at: 'disabled' }]);
});

test('I13 never rests with something recorded, but for the network, the user or the application', () => {
  const eventNames = Object.keys(events).filter((name) => name !== 'cancelled') as EventName[];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...eventNames)), (names) => {
      let state: SyncState = { at: 'idle' };
      let isArmed = false;
      let isRunning = false;
      for (const name of [...names, 'recorded' as const]) {
        const next = transition(state, events[name]);
        state = next.state;
        if (next.effect.do === 'arm') isArmed = true;
        if (next.effect.do === 'disarm' || next.effect.do === 'stop' || next.effect.do === 'sync') isArmed = false;
        isRunning = state.at === 'syncing';
      }
      const rests = ['offline', 'needs-auth', 'paused', 'closed'];
      expect(isArmed || isRunning || rests.includes(state.at)).toBe(true);
      expect(isArmed && isRunning).toBe(false);
    }),
  );
});
