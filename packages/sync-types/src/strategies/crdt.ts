/** Fields without conflict merge; a conflicting field keeps the value the server has. */
import { applyWithout, countedFields, isOfLostRecord, lostByTime, type Strategy } from './strategy.js';

/** Merges what does not conflict; of a conflicting field the server's value stays. A delete stays, and so does an edit that a delete meets. */
export const crdt: Strategy = (contest) =>
  isOfLostRecord(contest) ? { do: 'keep' } : applyWithout(contest, [...countedFields(contest), ...lostByTime(contest)]);
