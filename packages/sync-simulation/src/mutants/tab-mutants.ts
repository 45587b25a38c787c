/** Rules of tabs that share a storage, switched off one at a time. */
import type { TabTold } from '../tabs/tab-channel.js';
import type { ExpectedMutant } from './mutant.js';

/** 1.5 s: how often a tab asks whether its leader is there. */
const TICK_MS = 1500;
/** 1 s: how long a tab waits to hear how another one's write has ended. */
const WRITE_MS = 1000;

/** The mutants of what tabs tell each other, and of their locks. */
export const TAB_MUTANTS: readonly ExpectedMutant[] = [
  {
    name: 'a tab does not take the lock from a leader that hangs',
    breaks: 'tabs',
    hint: 12,
    lockRequest: (request) => ({ ...request, steal: false }),
  },
  {
    name: 'a leader does not hear that its lock is stolen',
    breaks: 'tabs',
    hint: 12,
    lockRequest: (request) => ({ ...request, onLost: () => {} }),
  },
  {
    name: 'a page that freezes keeps the lead',
    breaks: 'tabs',
    hint: 12,
    isFreezeUntold: true,
  },
  {
    name: 'a leader that nobody sees keeps the lead',
    breaks: 'tabs',
    hint: 12,
    isEachTabSeen: true,
  },
  {
    name: 'a tab never asks whether its leader is there',
    breaks: 'tabs',
    hint: 12,
    goesOffInTab: (delayMs) => delayMs !== TICK_MS,
  },
  {
    name: 'a leader does not say how sync stands',
    breaks: 'tabs',
    hint: 59,
    tabTold: without('stands'),
  },
  {
    name: 'all leaderships have one name',
    breaks: 'tabs',
    hint: 16,
    tabTold: (told) => (told.type === 'stands' ? { ...told, term: 'the same' } : told),
  },
  {
    name: 'a tab does not tell what it writes',
    breaks: 'tabs',
    hint: 12,
    tabTold: without('writing', 'wrote'),
  },
  {
    name: 'a tab tells that it has written, but not which records',
    breaks: 'tabs',
    hint: 12,
    tabTold: (told) => (told.type === 'wrote' ? { ...told, changed: [] } : told),
  },
  {
    name: 'a tab does not say that it begins to write',
    breaks: 'tabs',
    hint: 42,
    tabTold: without('writing'),
  },
  {
    name: 'a write whose end is not told is waited for',
    breaks: 'tabs',
    hint: 12,
    goesOffInTab: (delayMs) => delayMs !== WRITE_MS,
  },
  {
    name: 'a leader does not hear what other tabs want',
    breaks: 'tabs',
    hint: 12,
    tabTold: without('wants'),
  },
  {
    name: 'a leader does not say that it has done what another tab wanted',
    breaks: 'tabs',
    hint: 12,
    tabTold: without('done'),
  },
  {
    name: 'no tab hears that another one has paused or resumed',
    breaks: 'tabs',
    hint: 12,
    tabTold: without('told'),
  },
  {
    name: 'listeners hear of syncs in the leading tab alone',
    breaks: 'tabs',
    hint: 12,
    tabTold: without('happened'),
  },
  {
    name: 'a leader does not tell how mutations have ended',
    breaks: 'tabs',
    hint: 12,
    tabTold: without('settled'),
  },
  {
    name: 'tabs that do not understand each other share a lock',
    breaks: 'tabs',
    hint: 59,
    isLockShared: true,
  },
];

function without(...types: readonly string[]): (told: TabTold) => TabTold | undefined {
  return (told) => (types.includes(told.type) ? undefined : told);
}
