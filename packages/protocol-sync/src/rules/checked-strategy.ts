/** Asks an application's own strategy without trusting what it does to the contest, or what it answers. */
import { findJsonProblem, MAX_JSON_DEPTH, type Strategy, type Verdict } from '@objectql/sync-types';
import { ownCopy } from '../storage/own-copy.js';

/** The same strategy, which acts only by its verdict. Throws `TypeError` for a malformed or unstorable answer. */
export function checkedStrategy(strategy: Strategy): Strategy {
  return (contest) => {
    const verdict = strategy(ownCopy(contest));
    const problem = problemOf(verdict);
    if (problem) throw new TypeError(`The strategy answered ${problem} in a contest about ${contest.objectName}.`);
    return verdict;
  };
}

function problemOf(verdict: Verdict): string | undefined {
  // JavaScript may answer anything, even a promise.
  const { do: what, drop, merged = {} } = Object(verdict) as Readonly<Record<string, unknown>>;
  if (what === 'keep' || what === 'ask') return undefined;
  const isVerdict = what === 'apply' && Array.isArray(drop) && drop.every((field) => typeof field === 'string');
  if (!isVerdict || typeof merged !== 'object' || Array.isArray(merged)) return 'no verdict';
  const found = findJsonProblem(merged, { maxDepth: MAX_JSON_DEPTH });
  return found && `values that cannot be stored: ${found.path} ${found.problem}`;
}
