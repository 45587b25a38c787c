import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  FAILURES_BEFORE_POLLING,
  FIRST_WORD_MS,
  type LiveEvent,
  type LiveState,
  liveStatusOf,
  liveTransition,
  POLL_MS,
  POLLS_BEFORE_STREAM,
  SILENCE_MS,
  STEADY_MS,
} from './live-state.js';

const NOW = 1_000_000;
const MOMENT = { now: NOW, jitter: 0.5 };

const states = {
  off: { at: 'off' },
  starting: { at: 'starting', until: NOW },
  asked: { at: 'starting', until: null },
  connecting: { at: 'connecting', until: NOW + 1, failures: 0 },
  'connecting again': { at: 'connecting', until: NOW + 1, failures: 2 },
  'connecting, much failed': { at: 'connecting', until: NOW + 1, failures: 3 },
  open: { at: 'open', until: NOW + 1, steadyAt: NOW, failures: 2 },
  'open, silent': { at: 'open', until: NOW, steadyAt: NOW, failures: 2 },
  'open, not for long': { at: 'open', until: NOW + 1, steadyAt: NOW + 1, failures: 2 },
  waiting: { at: 'waiting', until: NOW + 1, failures: 1 },
  'waiting, much failed': { at: 'waiting', until: NOW + 1, failures: 3 },
  polling: { at: 'polling', until: NOW + 1, left: 4 },
  'polling, last time': { at: 'polling', until: NOW + 1, left: 0 },
} as const satisfies Record<string, LiveState>;

const events = {
  wanted: { type: 'followed', isWanted: true, hasCheckpoint: true },
  'wanted, new': { type: 'followed', isWanted: true, hasCheckpoint: false },
  unwanted: { type: 'followed', isWanted: false, hasCheckpoint: true },
  due: { type: 'due' },
  heard: { type: 'heard' },
  ended: { type: 'ended' },
  'ended, told when': { type: 'ended', retryAfterMs: 90_000 },
  refused: { type: 'refused' },
  'refused, told when': { type: 'refused', retryAfterMs: 60_000 },
  'refused for ever': { type: 'refused', retryAfterMs: Number.POSITIVE_INFINITY },
  woke: { type: 'woke' },
} as const satisfies Record<string, LiveEvent>;

type StateName = keyof typeof states;
type EventName = keyof typeof events;

const connect = (failures: number) => ({ at: 'connecting', until: NOW + FIRST_WORD_MS, failures }) as const;
const open = (steadyAt: number, failures: number) =>
  ({ at: 'open', until: NOW + SILENCE_MS, steadyAt, failures }) as const;
const wait = (ms: number, failures: number) => ({ at: 'waiting', until: NOW + ms, failures }) as const;
const poll = (left: number) => ({ at: 'polling', until: NOW + POLL_MS, left }) as const;
const off = { at: 'off' } as const;

/** `-` for nothing at all; `[state]` where changes are asked for as well. */
type Expected = '-' | LiveState | readonly [LiveState];

const nothing: Record<EventName, Expected> = {
  wanted: '-',
  'wanted, new': '-',
  unwanted: off,
  due: '-',
  heard: '-',
  ended: '-',
  'ended, told when': '-',
  refused: '-',
  'refused, told when': '-',
  'refused for ever': '-',
  woke: '-',
};

const connecting: Record<EventName, Expected> = {
  ...nothing,
  refused: [poll(POLLS_BEFORE_STREAM)],
  'refused, told when': [poll(2)],
  'refused for ever': [poll(120)],
};

const table: Record<StateName, Record<EventName, Expected>> = {
  off: { ...nothing, wanted: connect(0), 'wanted, new': { at: 'starting', until: NOW }, unwanted: '-' },
  starting: { ...nothing, wanted: connect(0), due: [{ at: 'starting', until: null }] },
  asked: { ...nothing, wanted: connect(0), due: [{ at: 'starting', until: null }] },
  connecting: {
    ...connecting,
    due: [poll(1)],
    heard: open(NOW + STEADY_MS, 0),
    ended: wait(500, 1),
    'ended, told when': wait(90_000, 1),
  },
  'connecting again': {
    ...connecting,
    due: [poll(1)],
    heard: open(NOW + STEADY_MS, 2),
    ended: wait(2000, 3),
    'ended, told when': wait(90_000, 3),
  },
  'connecting, much failed': {
    ...connecting,
    due: [poll(POLLS_BEFORE_STREAM)],
    heard: open(NOW + STEADY_MS, 3),
    ended: wait(4000, 4),
    'ended, told when': wait(90_000, 4),
  },
  open: { ...nothing, due: connect(1), heard: open(NOW, 2), ended: wait(500, 1), 'ended, told when': wait(90_000, 1) },
  'open, not for long': {
    ...nothing,
    due: connect(1),
    heard: open(NOW + 1, 2),
    ended: wait(2000, 3),
    'ended, told when': wait(90_000, 3),
  },
  'open, silent': {
    ...nothing,
    due: connect(1),
    heard: open(NOW, 2),
    ended: wait(500, 1),
    'ended, told when': wait(90_000, 1),
    woke: connect(0),
  },
  waiting: { ...nothing, due: connect(1), woke: connect(0) },
  'waiting, much failed': { ...nothing, due: [connect(3)], woke: connect(0) },
  polling: { ...nothing, due: [poll(3)], woke: connect(0) },
  'polling, last time': { ...nothing, due: [connect(FAILURES_BEFORE_POLLING)], woke: connect(0) },
};

for (const stateName of Object.keys(states) as StateName[]) {
  test(`knows what every event does while ${stateName}`, () => {
    const state = states[stateName];
    const actual = Object.fromEntries(
      Object.entries(events).map(([name, event]) => [name, describe(state, liveTransition(state, event, MOMENT))]),
    );
    expect(actual).toEqual(table[stateName]);
  });
}

function describe(before: LiveState, { state, polls }: ReturnType<typeof liveTransition>): Expected {
  if (polls) return [state];
  return state === before ? '-' : state;
}

test('tells a user interface that changes may be late as soon as they are asked for', () => {
  const told = Object.entries(states).map(([name, state]) => [name, liveStatusOf(state)]);
  expect(Object.fromEntries(told)).toEqual({
    off: 'off',
    starting: 'connecting',
    asked: 'connecting',
    connecting: 'connecting',
    'connecting again': 'connecting',
    'connecting, much failed': 'polling',
    open: 'open',
    'open, silent': 'open',
    'open, not for long': 'open',
    waiting: 'connecting',
    'waiting, much failed': 'polling',
    polling: 'polling',
    'polling, last time': 'polling',
  });
});

test('I13 never goes long without asking or a stream that lives, whatever happens on the way', () => {
  const happening = fc.constantFrom<LiveEvent['type'] | 'nothing'>('heard', 'ended', 'refused', 'woke', 'nothing');
  const law = fc.property(
    fc.array(fc.tuple(happening, fc.nat(20_000), fc.double({ min: 0, max: 0.99, noNaN: true }))),
    (story) => {
      // A cast, because the compiler does not see that `happen` changes it.
      let state = { at: 'connecting', until: FIRST_WORD_MS, failures: 0 } as LiveState;
      let now = 0;
      let lastServed = 0;
      const happen = (event: LiveEvent, jitter: number) => {
        const next = liveTransition(state, event, { now, jitter });
        state = next.state;
        if (next.polls || state.at === 'open') lastServed = now;
      };
      for (const [name, passedMs, jitter] of story) {
        const end = now + passedMs;
        while ('until' in state && state.until !== null && state.until <= end) {
          now = state.until;
          happen({ type: 'due' }, jitter);
        }
        now = end;
        // What does not come from a stream that is there comes from none.
        const isStreaming = state.at === 'open' || state.at === 'connecting';
        if (name === 'woke' || (name !== 'nothing' && isStreaming)) happen({ type: name } as LiveEvent, jitter);
        expect(state.at).not.toBe('off');
        expect(now - lastServed).toBeLessThan(5 * 60_000);
      }
    },
  );
  fc.assert(law);
});
