/** Fields without conflict merge; a conflicting field keeps the value the server has. */
import { assertNever } from '../assert-never.js';
import { countedFields, lostByTime, type Strategy } from './strategy.js';

/** Merges what does not conflict; of a conflicting field the server's value stays. A delete stays, and so does an edit that a delete meets. */
export const crdt: Strategy = (contest) => {
  switch (contest.kind) {
    case 'update-update':
    case 'create-create':
      return { do: 'apply', drop: [...countedFields(contest), ...lostByTime(contest)] };
    case 'delete-update':
      return countedFields(contest).length + lostByTime(contest).length > 0
        ? { do: 'keep' }
        : { do: 'apply', drop: [] };
    case 'update-delete':
    case 'stale-incarnation':
      return { do: 'keep' };
    default:
      return assertNever(contest.kind);
  }
};
