import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type LeadershipEffect,
  type LeadershipEvent,
  type LeadershipState,
  type LeadershipStep,
  nextLeadership,
  START,
} from './leadership.js';

const states = {
  following: { at: 'following', unanswered: 1 },
  'following, unanswered': { at: 'following', unanswered: 2 },
  taking: { at: 'taking' },
  leading: { at: 'leading' },
  left: { at: 'left' },
} as const satisfies Record<string, LeadershipState>;

const events = {
  granted: { type: 'granted' },
  lost: { type: 'lost' },
  tick: { type: 'tick' },
  'heard of one that is seen': { type: 'heard', isSeen: true, isLeaderSeen: true },
  'heard of a hidden one, seen': { type: 'heard', isSeen: true, isLeaderSeen: false },
  'heard of a hidden one, hidden': { type: 'heard', isSeen: false, isLeaderSeen: false },
  left: { type: 'left' },
} as const satisfies Record<string, LeadershipEvent>;

type StateName = keyof typeof states;
type EventName = keyof typeof events;
const following = { at: 'following', unanswered: 0 } as const;

/** The next state and the effects; nothing happens where the table says `null`. */
type Row = Record<EventName, readonly [LeadershipState, ...LeadershipEffect[]] | null>;
const nothing: Row = {
  granted: null,
  lost: null,
  tick: null,
  'heard of one that is seen': null,
  'heard of a hidden one, seen': null,
  'heard of a hidden one, hidden': null,
  left: null,
};
const inLine: Row = {
  granted: [{ at: 'leading' }, 'lead'],
  lost: [following, 'let-go'],
  tick: [{ at: 'following', unanswered: 2 }, 'ask'],
  'heard of one that is seen': [following],
  'heard of a hidden one, seen': [{ at: 'taking' }, 'take'],
  'heard of a hidden one, hidden': [following],
  left: [{ at: 'left' }, 'let-go'],
};
const { granted, lost, left } = inLine;

const table: Record<StateName, Row> = {
  following: inLine,
  'following, unanswered': { ...inLine, tick: [{ at: 'taking' }, 'take'] },
  taking: { ...nothing, granted, lost, left },
  leading: { ...nothing, granted, lost: [following, 'follow', 'stand-in-line'], left },
  left: nothing,
};

for (const stateName of Object.keys(states) as StateName[]) {
  test(`knows what to do in every event while ${stateName}`, () => {
    const state = states[stateName];
    const actual = Object.entries(events).map(([name, event]) => [
      name,
      described(state, nextLeadership(state, event)),
    ]);
    expect(Object.fromEntries(actual)).toEqual(table[stateName]);
  });
}

function described(before: LeadershipState, { state, effects }: LeadershipStep) {
  return state === before && effects.length === 0 ? null : [state, ...effects];
}

test('I13 leads in the end, whatever happened before, when nobody else answers and locks are granted', () => {
  const event = fc.constantFrom(...Object.values(events).filter(({ type }) => type !== 'left'));
  const law = fc.property(fc.array(event), (history) => {
    let step = START;
    // What a browser does with a lock that is asked for: it grants one that is taken at once.
    const happen = (next: LeadershipEvent) => {
      step = nextLeadership(step.state, next);
      if (step.effects.includes('take')) step = nextLeadership(step.state, { type: 'granted' });
    };
    for (const next of history) happen(next);
    for (let ticks = 0; ticks < 3; ticks++) happen({ type: 'tick' });
    expect(step.state).toEqual({ at: 'leading' });
  });
  fc.assert(law);
});
