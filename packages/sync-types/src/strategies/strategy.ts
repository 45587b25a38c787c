/** What a conflict strategy is given and what it may decide. Client and server share one implementation of each. */
import type { ConflictKind, WriteStamp } from '../conflict.js';
import type { Json, JsonObject } from '../json.js';
import { ownValue } from '../json.js';
import type { MutationOperation } from '../mutation.js';
import type { RecordRef } from '../record-key.js';

/** A mutation that met somebody else's write. */
export interface Contest extends RecordRef {
  readonly kind: ConflictKind;
  readonly mine: {
    readonly operation: MutationOperation;
    /** The fields the mutation writes; empty for a delete. */
    readonly data: JsonObject;
    readonly stamp: WriteStamp;
  };
  readonly theirs: {
    /** The record as it is now; `null` when deleted. */
    readonly record: JsonObject | null;
    /** The latest write of each contested field. */
    readonly stamps: Readonly<Record<string, WriteStamp>>;
    /** The delete, when `record` is `null`. */
    readonly deleted?: WriteStamp | undefined;
  };
  /**
   * `update-update`, `create-create`: the fields that both wrote, to different values. `delete-update`: the fields
   * written since the delete's base. `update-delete`, `stale-incarnation`: the mutation's fields.
   */
  readonly fields: readonly string[];
  /** The object's declared conflict fields, if it has any. */
  readonly conflictFields?: readonly string[] | undefined;
}

/** What a strategy decides of a contest. */
export type Verdict =
  /** Write the mutation without the fields in `drop`; values in `merged` replace the mutation's own. */
  | { readonly do: 'apply'; readonly drop: readonly string[]; readonly merged?: Readonly<Record<string, Json>> }
  /** Write nothing; the record stays as it is and the mutation is reported as dropped. */
  | { readonly do: 'keep' }
  /** Decide nothing; the mutation becomes a conflict for the user. */
  | { readonly do: 'ask' };

/** Decides a contest. Pure: the same contest gives the same verdict on every machine, at any time. */
export type Strategy = (contest: Contest) => Verdict;

/** Positive when `a` is the later write. Never 0 for two different writes, so no two machines disagree on the winner. */
export function compareWrites(a: WriteStamp, b: WriteStamp): number {
  if (a.time !== b.time) return a.time - b.time;
  if (a.logId !== b.logId) return a.logId < b.logId ? -1 : 1;
  return a.sequence - b.sequence;
}

/** The contested fields that count as conflicting: the declared ones, or all of them if none are declared. */
export function countedFields(contest: Contest): readonly string[] {
  const { fields, conflictFields } = contest;
  return conflictFields ? fields.filter((field) => conflictFields.includes(field)) : fields;
}

/** Those of `fields` whose present value comes from a later write than the mutation. */
export function laterFields(contest: Contest, fields: readonly string[]): readonly string[] {
  return fields.filter((field) => {
    const stamp = ownValue(contest.theirs.stamps, field) as WriteStamp | undefined;
    return stamp !== undefined && compareWrites(stamp, contest.mine.stamp) > 0;
  });
}

/**
 * The fields that the mutation loses by time: under every strategy it decides those that do not count as conflicting.
 */
export function lostByTime(contest: Contest): readonly string[] {
  const counted = countedFields(contest);
  return laterFields(
    contest,
    contest.fields.filter((field) => !counted.includes(field)),
  );
}

/** True when the record on which the mutation is based is gone; another one may have its name now. */
export function isOfLostRecord({ kind }: Contest): boolean {
  return kind === 'update-delete' || kind === 'stale-incarnation';
}

/** The mutation without the fields that it loses. A delete cannot leave fields out: losing one, it gives way. */
export function applyWithout({ kind }: Contest, lost: readonly string[]): Verdict {
  return kind === 'delete-update' && lost.length > 0 ? { do: 'keep' } : { do: 'apply', drop: lost };
}
