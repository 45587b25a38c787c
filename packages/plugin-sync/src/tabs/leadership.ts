/**
 * Which of several tabs leads: a pure machine, `(state, event) → state + effects`.
 *
 *              granted                       lost
 *  following ───────────▶ leading ───────────────────────▶ following
 *   │  ▲                     ▲
 *   │  └─ heard: the leader  │ granted
 *   │     is there           │
 *   └─ tick, for the third ──┴─ taking        any ── left ──▶ left
 *      time unanswered; or
 *      the leader is hidden
 *      and this tab is seen
 *
 * A follower stands in line for the lock, so a leader that closes, crashes or freezes is followed at once. One that hangs
 * keeps its lock: it is asked at every tick, and the lock is taken from it when it does not answer. Two leaders at once, as
 * when the hanging one goes on, do no harm: the storage lets one of two writers win, and a mutation keeps its id.
 */

export type LeadershipState =
  /** `unanswered`: how often the leader was asked since it last spoke. */
  | { readonly at: 'following'; readonly unanswered: number }
  /** The lock is being taken from a leader that does not answer, or that nobody sees. */
  | { readonly at: 'taking' }
  | { readonly at: 'leading' }
  | { readonly at: 'left' };

export type LeadershipEvent =
  | { readonly type: 'granted' }
  | { readonly type: 'lost' }
  | { readonly type: 'tick' }
  /** The leader said something. Tells whether the user sees this tab, and the leader's. */
  | { readonly type: 'heard'; readonly isSeen: boolean; readonly isLeaderSeen: boolean }
  | { readonly type: 'left' };

export type LeadershipEffect = 'lead' | 'follow' | 'stand-in-line' | 'take' | 'ask' | 'let-go';

export interface LeadershipStep {
  readonly state: LeadershipState;
  readonly effects: readonly LeadershipEffect[];
}

/** 1.5 s: with `MAX_UNANSWERED` a hanging leader is replaced within 5 s, and a message costs next to nothing. */
export const TICK_MS = 1500;

/**
 * 2: after a laptop slept, the first question of all tabs comes late. A leader busy for 3 s may lose its place, which
 * is harmless.
 */
const MAX_UNANSWERED = 2;

/** Where a tab starts: in line. */
export const START: LeadershipStep = { state: { at: 'following', unanswered: 0 }, effects: ['stand-in-line'] };

/** The machine's next state and what to do for it. */
export function nextLeadership(state: LeadershipState, event: LeadershipEvent): LeadershipStep {
  if (state.at === 'left') return { state, effects: [] };
  switch (event.type) {
    case 'left':
      return { state: { at: 'left' }, effects: ['let-go'] };
    case 'granted':
      return { state: { at: 'leading' }, effects: ['lead'] };
    case 'lost':
      // The browser may refuse the lock every time: asked again at once, it would do so without end. The ticks try
      // again.
      return { state: START.state, effects: state.at === 'leading' ? ['follow', 'stand-in-line'] : ['let-go'] };
    case 'tick':
      if (state.at !== 'following') return { state, effects: [] };
      if (state.unanswered >= MAX_UNANSWERED) return { state: { at: 'taking' }, effects: ['take'] };
      return { state: { at: 'following', unanswered: state.unanswered + 1 }, effects: ['ask'] };
    case 'heard':
      if (state.at !== 'following') return { state, effects: [] };
      if (event.isSeen && !event.isLeaderSeen) return { state: { at: 'taking' }, effects: ['take'] };
      return { state: START.state, effects: [] };
  }
}
