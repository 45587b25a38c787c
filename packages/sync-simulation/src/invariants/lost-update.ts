/** Writes that went over somebody else's without anybody deciding it (I8), and those that went against the rules. */
import type { LedgerOutcome } from '@objectql/protocol-sync';
import type { MutationLogEntry } from '@objectql/sync-types';
import type { ObjectPlan } from '../plan.js';
import { isSame, nameOf } from '../record-name.js';
import type { TrueRecord } from '../true-record.js';
import type { Violation } from '../violation.js';

/** Who wrote a field's present value. */
export interface TrueField {
  readonly version: number;
  readonly lineage: string;
  readonly sequence: number;
  /** `undefined` where the model took the field over as the server had it. */
  readonly mutationId: string | undefined;
  /** The writes that gave the field its present value before this one repeated it. */
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
  /** True when the device that wrote the field's present value is the one that sent this, not a clone of it. */
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
    // Who knows the value, or gave it, takes nothing from those who have repeated it.
    if ([last, ...(last.repeated ?? [])].some((by) => by.version <= base || isOwnEarlier(by))) continue;
    if (said.operation !== 'delete' && isSame(said.data?.[field], before.data[field])) continue;
    const isDeclared = rules.conflictFields === null || rules.conflictFields.includes(field);
    // Under last-write-wins declared fields are asked for; under the others fields outside the list go by time.
    if (isByTime ? rules.conflictFields === null || !isDeclared : !isDeclared) continue;
    return { invariant: 'I8', message: `${name} wrote ${field} over v${last.version} of ${last.lineage} undecided.` };
  }
  return undefined;
}
