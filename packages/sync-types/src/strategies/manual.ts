/** Every conflict is the user's to decide. */
import { countedFields, lostByTime, type Strategy } from './strategy.js';

/** Asks wherever a field that counts is contested; other fields go by time. */
export const manual: Strategy = (contest) => {
  if (contest.kind === 'update-delete' || contest.kind === 'stale-incarnation') return { do: 'ask' };
  if (countedFields(contest).length > 0) return { do: 'ask' };
  const lost = lostByTime(contest);
  if (contest.kind === 'delete-update') return lost.length > 0 ? { do: 'keep' } : { do: 'apply', drop: [] };
  return { do: 'apply', drop: lost };
};
