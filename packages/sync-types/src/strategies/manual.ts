/** Every conflict is the user's to decide. */
import { applyWithout, countedFields, isOfLostRecord, lostByTime, type Strategy } from './strategy.js';

/** Asks wherever a field that counts is contested; other fields go by time. */
export const manual: Strategy = (contest) =>
  isOfLostRecord(contest) || countedFields(contest).length > 0
    ? { do: 'ask' }
    : applyWithout(contest, lostByTime(contest));
