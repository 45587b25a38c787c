/** Writes that went over somebody else's without anybody deciding it (I8), and those that went against the rules. */
import type { LedgerOutcome, RecordState } from '@objectql/protocol-sync';
import type { MutationLogEntry } from '@objectql/sync-types';
import type { ObjectPlan } from '../plan.js';
import { isSame, nameOf } from '../record-name.js';
import type { TrueRecord } from '../server-truth.js';
import type { Violation } from '../violation.js';

/** Who wrote a field's present value. */
export interface TrueField {
  readonly version: number;
  readonly lineage: string;
  readonly sequence: number;
}

/** An applied mutation and the state it led to. */
export interface AppliedWrite {
  readonly said: MutationLogEntry;
  readonly lineage: string;
  readonly sequence: number;
  readonly outcome: Extract<LedgerOutcome, { status: 'applied' }>;
  readonly state: Pick<RecordState, 'writes' | 'version'>;
}

/** The first thing that is wrong with an applied mutation, given the record before it. */
export function findLostUpdate(
  { said, lineage, sequence, outcome }: AppliedWrite,
  before: TrueRecord | undefined,
  rules: ObjectPlan & { readonly isAnnounced?: boolean },
): Violation | undefined {
  if (!before) return undefined;
  const name = `${said.operation} ${said.id} of ${nameOf(said)}`;
  if (outcome.version !== before.version + 1) {
    return { invariant: 'I5', message: `${name} made v${outcome.version} of v${before.version}.` };
  }
  if (!before.data) return undefined;
  const base = said.baseVersion ?? 0;
  if (rules.isAnnounced && before.bornBy === 'server') return undefined;
  if (said.operation !== 'create' && base < before.born && before.born > 1 && before.bornBy !== lineage) {
    return { invariant: 'I8', message: `${name}, based on v${base}, was applied to what was born at v${before.born}.` };
  }
  const written = said.operation === 'delete' ? [...before.fields.keys()] : Object.keys(said.data ?? {});
  const isByTime = rules.strategy === 'last-write-wins' && rules.isKnownToServer;
  for (const field of written) {
    const last = before.fields.get(field);
    if (!last || last.version <= base || outcome.droppedFields.includes(field)) continue;
    // A write past sync may come between a plain resolver's announcement and its write: its promise is the weaker one.
    if (rules.isAnnounced && last.lineage === 'server') continue;
    if (last.lineage === lineage && last.sequence < sequence) continue;
    if (said.operation !== 'delete' && isSame(said.data?.[field], before.data[field])) continue;
    const isDeclared = rules.conflictFields === null || rules.conflictFields.includes(field);
    // Under last-write-wins declared fields are asked for; under the others fields outside the list go by time.
    if (isByTime ? rules.conflictFields === null || !isDeclared : !isDeclared) continue;
    return { invariant: 'I8', message: `${name} wrote ${field} over v${last.version} of ${last.lineage} undecided.` };
  }
  return undefined;
}
