/** Fields without conflict merge; a conflicting field keeps the server's value. */
import { applyWithout, countedFields, isOfLostRecord, lostByTime, type Strategy } from './strategy.js';

/**
 * Merges fields that do not conflict; conflicting ones keep the server's value. A delete stays, and so does an edit
 * that a delete meets.
 */
export const crdt: Strategy = (contest) =>
  isOfLostRecord(contest) ? { do: 'keep' } : applyWithout(contest, [...countedFields(contest), ...lostByTime(contest)]);
