/** The later write wins, field by field; time never decides declared conflict fields, not even that of a delete. */
import { applyWithout, compareWrites, countedFields, laterFields, type Strategy } from './strategy.js';

/** Lets the later write of each field win, by the server's clock; asks if a declared conflict field is contested. */
export const lastWriteWins: Strategy = (contest) => {
  const { kind, mine, theirs, fields, conflictFields } = contest;
  if (kind === 'stale-incarnation' || (conflictFields && countedFields(contest).length > 0)) return { do: 'ask' };
  if (kind === 'update-delete') {
    const deleteIsLater = theirs.deleted !== undefined && compareWrites(theirs.deleted, mine.stamp) > 0;
    return deleteIsLater ? { do: 'keep' } : { do: 'apply', drop: [] };
  }
  return applyWithout(contest, laterFields(contest, fields));
};
