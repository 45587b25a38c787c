import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DEBOUNCE_MAX_WAIT_MS, initialState, type SyncEvent, type SyncState, transition } from './sync-state.js';

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
  'wrong-user': { at: 'needs-auth', why: 'wrong-user' },
  paused: { at: 'paused' },
  disabled: { at: 'disabled' },
  closed: { at: 'closed' },
} as const satisfies Record<string, SyncState>;

const drained = { type: 'drained', unsentDebounceMs: null, heldUntil: null } as const;
const failed = { type: 'failed', retryAfterMs: undefined, jitter: 0.5, hasAdvanced: false } as const;

const events = {
  recorded: { type: 'recorded', debounceMs: 100 },
  requested: { type: 'requested' },
  due: { type: 'due' },
  drained,
  'drained, more recorded': { ...drained, unsentDebounceMs: 100, heldUntil: NOW + 9 },
  'drained, one held': { ...drained, heldUntil: NOW + 500 },
  failed,
  'failed, told when to retry': { ...failed, retryAfterMs: 90_000 },
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
/** `-` for nothing at all; else the next state. */
type Expected = string;

const ONLINE = { now: NOW, isOnline: true };

const nothing: Record<EventName, Expected> = {
  recorded: '-',
  requested: '-',
  due: '-',
  drained: '-',
  'drained, more recorded': '-',
  'drained, one held': '-',
  failed: '-',
  'failed, told when to retry': '-',
  refused: 'needs-auth unauthenticated',
  online: '-',
  offline: '-',
  cancelled: '-',
  paused: 'paused',
  resumed: '-',
  closed: 'closed',
};

const table: Record<StateName, Record<EventName, Expected>> = {
  idle: {
    ...nothing,
    recorded: 'debounce until +100',
    requested: 'syncing 0',
    online: 'syncing 0',
    offline: 'offline 0',
  },
  debouncing: {
    ...nothing,
    recorded: 'debounce until +100',
    requested: 'syncing 0',
    due: 'syncing 0',
    online: 'syncing 0',
    offline: 'offline 0',
    cancelled: 'idle',
  },
  'backing off': {
    ...nothing,
    requested: 'syncing 3',
    due: 'syncing 3',
    online: 'syncing 3',
    offline: 'offline 3',
  },
  'told when': {
    ...nothing,
    requested: 'syncing 1',
    due: 'syncing 1',
  },
  held: {
    ...nothing,
    recorded: 'debounce until +100',
    requested: 'syncing 0',
    due: 'syncing 0',
    online: 'syncing 0',
    offline: 'offline 0',
  },
  syncing: {
    ...nothing,
    drained: 'idle',
    'drained, more recorded': 'debounce until +100',
    'drained, one held': 'held until +500',
    failed: 'backoff until +2000',
    'failed, told when to retry': 'retry-after until +90000',
  },
  offline: { ...nothing, requested: 'syncing 1', online: 'syncing 1' },
  'needs-auth': { ...nothing, requested: 'syncing 0', resumed: 'syncing 0', online: 'syncing 0' },
  'wrong-user': { ...nothing, requested: 'syncing 0', resumed: 'syncing 0' },
  paused: { ...nothing, resumed: 'syncing 0' },
  disabled: { ...nothing, refused: '-', paused: '-' },
  closed: { ...nothing, refused: '-', paused: '-', closed: '-' },
};

/** What is another one where there is no network. */
const tableOffline: Partial<Record<StateName, Partial<Record<EventName, Expected>>>> = {
  syncing: {
    drained: 'offline 0',
    'drained, more recorded': 'offline 0',
    'drained, one held': 'offline 0',
    failed: 'offline 3',
  },
  'needs-auth': { resumed: 'offline 0' },
  'wrong-user': { resumed: 'offline 0' },
  paused: { resumed: 'offline 0' },
};

for (const stateName of Object.keys(states) as StateName[]) {
  test(`knows what every event does while ${stateName}, with a network and without`, () => {
    const state = states[stateName];
    const actual = [true, false].map((isOnline) =>
      Object.fromEntries(
        Object.entries(events).map(([name, event]) => [
          name,
          describe(state, transition(state, event, { now: NOW, isOnline })),
        ]),
      ),
    );
    const expected = table[stateName];
    expect(actual).toEqual([expected, { ...expected, ...tableOffline[stateName] }]);
  });
}

function describe(before: SyncState, after: SyncState): string {
  return after === before ? '-' : nameOf(after);
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
      state = transition(state, { type: 'due' }, { now, isOnline: true });
    } else state = transition(state, events.recorded, { now, isOnline: true });
  }
  expect(state.at).toBe('syncing');
});

test('I13 counts the longest wait of a steady stream of edits anew from where the clock was set back to', () => {
  const before = transition({ at: 'idle' }, events.recorded, ONLINE);
  const setBack = NOW - 365 * 86_400_000;
  let state = before;
  for (let now = setBack; now <= setBack + 9990; now += 90) {
    state = transition(state, events.recorded, { now, isOnline: true });
  }
  expect(state).toMatchObject({ at: 'waiting', since: setBack, until: setBack + 10_000 });
});

test('waits as long as a debounce that is longer than the longest wait', () => {
  const state = transition({ at: 'idle' }, { type: 'recorded', debounceMs: 30_000 }, { now: 0, isOnline: true });
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
    fc.property(fc.array(fc.tuple(fc.constantFrom(...eventNames), fc.boolean())), (steps) => {
      let state: SyncState = { at: 'idle' };
      for (const [name, isOnline] of [...steps, ['recorded', true] as const])
        state = transition(state, events[name], { now: NOW, isOnline });
      expect(['waiting', 'syncing', 'offline', 'needs-auth', 'paused', 'closed']).toContain(state.at);
    }),
  );
});
