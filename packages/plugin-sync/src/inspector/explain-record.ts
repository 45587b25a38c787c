/** Explains why a record is as it is: what the server told, what is pending on top, what waits for the user. Pure. */
import type { Json, RecordRef } from '@objectql/sync-types';
import { MAX_FAILURES } from '../cycle/failures-alone.js';
import { type LocalRecord, rebase } from '../records/rebase.js';
import type { BaseRecord, DeadLetter, ParkedConflict, StoredEntry } from '../storage/client-storage.js';

/** An entry of the log, and how far it has come. */
export interface InspectedEntry extends StoredEntry {
  /** `storing`: in memory only. `stored`: durable, to be sent. `sending`: in the request under way. */
  readonly progress: 'storing' | 'stored' | 'sending';
  /** Set when it has got no answer though it was sent alone: how often, and why the last time. */
  readonly failedAlone?: { readonly count: number; readonly message: string };
}

/** Everything known of one record. */
export interface RecordFacts {
  readonly base: BaseRecord | undefined;
  /** The oldest first. */
  readonly pending: readonly InspectedEntry[];
  readonly conflicts: readonly ParkedConflict[];
  readonly deadLetters: readonly DeadLetter[];
  /** The walk of the feed that is under way. */
  readonly walk: string | null;
}

/** Where the value of a field comes from. */
export interface FieldOrigin {
  readonly field: string;
  readonly value: Json;
  /** The pending mutation that wrote it; `null` when it is the server's. */
  readonly mutationId: string | null;
  /** The server's value; absent when it is the same or the server has none. */
  readonly serverValue?: Json;
}

/** Why a record is shown as it is: in sentences, and field by field. */
export interface Explanation extends RecordFacts, RecordRef {
  /** The record as the user sees it; `null` when there is none. */
  readonly shown: LocalRecord | null;
  readonly fields: readonly FieldOrigin[];
  /** The reasons, as sentences, the most important first. */
  readonly because: readonly string[];
}

/** Explains one record from what is known of it. */
export function explainRecord({ objectName, recordId }: RecordRef, facts: RecordFacts): Explanation {
  const ref = { objectName, recordId };
  const shown = rebase(ref, facts.base, facts.pending) ?? null;
  const because = [
    sayBase(facts),
    ...facts.pending.flatMap(sayPending),
    ...sayHidden(facts, shown),
    ...facts.conflicts.map(sayConflict),
    ...facts.deadLetters.map(sayDeadLetter),
    ...(isSettled(facts) ? ['Nothing of it is pending, and nothing waits for a decision.'] : []),
  ];
  return { ...ref, ...facts, shown, fields: shown ? originsOf(shown, facts) : [], because };
}

function originsOf({ data }: LocalRecord, { base, pending }: RecordFacts): readonly FieldOrigin[] {
  return Object.entries(data).map(([field, value]) => {
    const writer = pending.findLast(({ mutation }) => Object.hasOwn(mutation.data ?? {}, field));
    const serverValue = base && Object.hasOwn(base.data, field) ? base.data[field] : undefined;
    const isOther = writer !== undefined && serverValue !== undefined;
    return { field, value, mutationId: writer?.mutation.id ?? null, ...(isOther ? { serverValue } : {}) };
  });
}

function sayBase({ base, walk }: RecordFacts): string {
  if (!base) return 'The server has told this device nothing of it.';
  const told = `The server last told version ${base.version}.`;
  const isUnseen = walk !== null && base.walk !== walk;
  return isUnseen ? `${told} All records are being received anew, and this one has not come yet.` : told;
}

function sayPending({ mutation, progress, tries, round, failedAlone }: InspectedEntry): readonly string[] {
  const fields = mutation.data ? ` of ${Object.keys(mutation.data).join(', ')}` : '';
  const stored = failedAlone ? 'stored, to be sent again' : 'stored, not sent yet';
  const how = { storing: 'not stored yet', stored, sending: 'being sent' }[progress];
  const author = round > 0 ? `made by conflict resolution ${round}` : 'made here';
  const refused = tries > 0 ? `; the server has put it off ${tries} time${tries === 1 ? '' : 's'}` : '';
  const name = `${mutation.operation} ${mutation.sequence}`;
  return [
    `On top of it lies ${name}${fields}, ${author}: ${how}${refused}.`,
    ...(failedAlone ? [sayFailedAlone(name, failedAlone)] : []),
  ];
}

function sayFailedAlone(name: string, { count, message }: NonNullable<InspectedEntry['failedAlone']>): string {
  const failed = `Sent alone, ${name} has failed ${count} time${count === 1 ? '' : 's'} since this client started`;
  const turn =
    count > MAX_FAILURES ? ' Others go first; it is tried again within a minute, in turn with its like.' : '';
  return `${failed}, the last time with “${message}”.${turn}`;
}

function sayHidden({ base, pending }: RecordFacts, shown: LocalRecord | null): readonly string[] {
  if (shown) return [];
  const last = pending.at(-1)?.mutation.operation;
  if (last === 'delete') return ['It is not shown, because its delete is pending.'];
  if (last === 'update' && !base) return ['It is not shown: an update alone does not tell its other fields.'];
  return ['It is not shown: there is none.'];
}

function sayConflict({ conflict }: ParkedConflict): string {
  const { clientMutation, conflictingFields, serverRecord } = conflict;
  const fields = conflictingFields.length > 0 ? ` of ${conflictingFields.join(', ')}` : '';
  const server = serverRecord === null ? 'where the server has it deleted' : 'and the server’s stands meanwhile';
  return `A conflict about the ${clientMutation.operation}${fields} waits for the user, ${server}.`;
}

function sayDeadLetter({ mutation, code, reason }: DeadLetter): string {
  return `The ${mutation.operation} ${mutation.sequence} was refused and is not in it. ${code}: ${reason}`;
}

function isSettled({ pending, conflicts, deadLetters }: RecordFacts): boolean {
  return pending.length + conflicts.length + deadLetters.length === 0;
}
