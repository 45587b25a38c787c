/** Leaves every conflict to the user. */
import { applyWithout, countedFields, isOfLostRecord, lostByTime, type Strategy } from './strategy.js';

/** Asks if a field that counts is contested; time decides the other fields. */
export const manual: Strategy = (contest) =>
  isOfLostRecord(contest) || countedFields(contest).length > 0
    ? { do: 'ask' }
    : applyWithout(contest, lostByTime(contest));
