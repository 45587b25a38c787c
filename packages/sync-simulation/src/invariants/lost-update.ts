/** Writes that overwrote somebody else's without a decision (I8), and those that broke the rules. */
import type { LedgerOutcome } from '@objectql/protocol-sync';
import type { MutationLogEntry } from '@objectql/sync-types';
import type { ObjectPlan } from '../plan.js';
import { isSame, nameOf } from '../record-name.js';
import type { TrueRecord } from '../true-record.js';
import type { Violation } from '../violation.js';

/** The writer of a field's present value. */
export interface TrueField {
  readonly version: number;
  readonly lineage: string;
  readonly sequence: number;
  /** `undefined` if the model took the field over from the server. */
  readonly mutationId: string | undefined;
  /** The earlier writes of the field's present value, which this one repeated. */
  readonly repeated?: readonly TrueField[];
}

/** An applied mutation. */
export interface AppliedWrite {
  readonly said: MutationLogEntry;
  /** The version it was decided on; 0 for none. */
  readonly base: number;
  readonly lineage: string;
  readonly sequence: number;
  readonly outcome: Extract<LedgerOutcome, { status: 'applied' }>;
  /** True when the field's present value was written by the same device that sent this, not by a clone of it. */
  readonly isOwn: (field: TrueField) => boolean;
}

/** The first thing that is wrong with an applied mutation, given the record before it. */
export function findLostUpdate(
  { said, base, lineage, sequence, outcome, isOwn }: AppliedWrite,
  before: TrueRecord | undefined,
  rules: ObjectPlan,
): Violation | undefined {
  if (!before) return undefined;
  const name = `${said.operation} ${said.id} of ${nameOf(said)}`;
  if (outcome.version !== before.version + 1) {
    return { invariant: 'I5', message: `${name} made v${outcome.version} of v${before.version}.` };
  }
  if (!before.data) return undefined;
  if (said.operation !== 'create' && base < before.born && before.born > 1 && before.bornBy !== lineage) {
    return { invariant: 'I8', message: `${name}, based on v${base}, was applied to what was born at v${before.born}.` };
  }
  const isOwnEarlier = (by: TrueField) => by.lineage === lineage && by.sequence < sequence && isOwn(by);
  const written = said.operation === 'delete' ? [...before.fields.keys()] : Object.keys(said.data ?? {});
  const isByTime = rules.strategy === 'last-write-wins' && rules.isKnownToServer;
  for (const field of written) {
    const last = before.fields.get(field);
    if (!last || outcome.droppedFields.includes(field)) continue;
    // A writer that knows the value, or wrote it first, takes nothing from those who have repeated it.
    if ([last, ...(last.repeated ?? [])].some((by) => by.version <= base || isOwnEarlier(by))) continue;
    if (said.operation !== 'delete' && isSame(said.data?.[field], before.data[field])) continue;
    const isDeclared = rules.conflictFields === null || rules.conflictFields.includes(field);
    // Under last-write-wins, declared fields must be asked about; under the others, time decides fields outside the
    // list.
    if (isByTime ? rules.conflictFields === null || !isDeclared : !isDeclared) continue;
    return { invariant: 'I8', message: `${name} wrote ${field} over v${last.version} of ${last.lineage} undecided.` };
  }
  return undefined;
}
