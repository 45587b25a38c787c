/**
 * The reference model of the server: what its commits make of records, versions, feed and ledger, computed without a line
 * of the product's code, and compared with what it really saved.
 */
import type { LedgerRow, RecordState, SaveRequest } from '@objectql/protocol-sync';
import type { JsonObject, MutationLogEntry, RecordId } from '@objectql/sync-types';
import { findLostUpdate, type TrueField } from './invariants/lost-update.js';
import type { ObjectPlan } from './plan.js';
import { isSame, nameOf } from './record-name.js';
import type { Verdict } from './violation.js';

/** A record as it must be. */
export interface TrueRecord {
  readonly objectName: string;
  readonly recordId: RecordId;
  readonly version: number;
  readonly place: number;
  readonly data: JsonObject | null;
  readonly born: number;
  readonly bornBy: string;
  readonly fields: ReadonlyMap<string, TrueField>;
  readonly changedAt: number;
}

/** What the world knows beside the server's commits. */
export interface TruthParts {
  readonly verdict: Verdict;
  readonly objectOf: (objectName: string) => (ObjectPlan & { readonly isAnnounced: boolean }) | undefined;
  /** A mutation as a device sent it. */
  readonly saidBy: (mutationId: string) => MutationLogEntry | undefined;
  /** The latest time a write of this log may claim. */
  readonly latestTimeOf: (logId: string) => number;
  readonly now: () => number;
}

/** A field the application's hook adds to what is written: nobody wrote it, so no model of writes knows it. */
export const HOOKED_FIELD = 'touched';

export class ServerTruth {
  epoch = '';
  head = 0;
  floor = 0;
  versionFloor = 0;
  readonly records = new Map<string, TrueRecord>();
  /** Applied mutations by id, with the version they made. Kept when the ledger forgets them. */
  readonly applied = new Map<string, number>();
  /** The same, with those that were lost when the server went back to a backup. */
  readonly everApplied = new Map<string, number>();
  readonly #highest = new Map<string, number>();
  readonly #lastSequence = new Map<string, number>();
  readonly #parts: TruthParts;

  constructor(parts: TruthParts) {
    this.#parts = parts;
  }

  /** Takes a commit over, after comparing it with what it should have been. */
  commit(saves: readonly SaveRequest[]): void {
    for (const { records = [], ledger = [] } of saves) {
      for (const row of ledger) this.#checkRow(row);
      for (const state of records) this.#take(state, ledger);
    }
  }

  /** Drops what a prune drops. */
  prune(before: number): void {
    for (const [name, record] of this.records) {
      if (record.data !== null || record.changedAt >= before) continue;
      this.records.delete(name);
      this.floor = Math.max(this.floor, record.place);
      this.versionFloor = Math.max(this.versionFloor, record.version);
    }
  }

  #checkRow({ mutationId, objectName, recordId, logId, sequence, outcome }: LedgerRow): void {
    if (outcome.status !== 'applied') return;
    const { verdict } = this.#parts;
    if (this.applied.has(mutationId)) verdict.report('I2', `Mutation ${mutationId} was applied twice.`);
    this.applied.set(mutationId, outcome.version);
    this.everApplied.set(mutationId, outcome.version);
    const key = `${logId} ${nameOf({ objectName, recordId })}`;
    const last = this.#lastSequence.get(key) ?? 0;
    if (sequence <= last) {
      verdict.report('I3', `Sequence ${sequence} of ${key} was applied after ${last}.`);
    }
    this.#lastSequence.set(key, sequence);
  }

  #take(state: RecordState, ledger: readonly LedgerRow[]): void {
    const { verdict } = this.#parts;
    const name = nameOf(state);
    this.head += 1;
    const before = this.records.get(name);
    const rows = ledger.filter((row) => nameOf(row) === name && row.outcome.status === 'applied');
    const { origin } = state;
    const own = rows.find(({ mutationId }) => mutationId === origin?.mutationId);
    if (origin && !(own?.outcome.status === 'applied' && own.outcome.version === state.version)) {
      verdict.report('I11', `${name} v${state.version} was saved without the ledger row of ${origin.mutationId}.`);
    }
    if (state.version <= Math.max(before?.version ?? 0, this.#highest.get(name) ?? 0)) {
      verdict.report('I5', `${name} went from v${this.#highest.get(name)} to v${state.version}.`);
    }
    this.#highest.set(name, state.version);
    const expected = origin ? this.#expect(state, before, rows) : undefined;
    const { [HOOKED_FIELD]: hooked, ...data } = state.data ?? {};
    if (expected && !isSame(expected.data && without(expected.data, HOOKED_FIELD), state.data && data)) {
      const texts = [expected.data, state.data].map((value) => JSON.stringify(value));
      verdict.report('I11', `${name} v${state.version} should be ${texts[0]} and is ${texts[1]}.`);
    }
    this.#checkTimes(state);
    this.records.set(name, { ...(expected ?? fresh(state)), place: this.head, data: state.data });
  }

  /** The record after the commit's own writes; `undefined` when it began with a record only the application knew. */
  #expect(state: RecordState, before: TrueRecord | undefined, rows: readonly LedgerRow[]): TrueRecord | undefined {
    let record = before;
    for (const row of rows) {
      const { outcome, mutationId } = row;
      const said = this.#parts.saidBy(mutationId);
      if (outcome.status !== 'applied' || !said) continue;
      if (record && outcome.version === record.version) continue;
      if (!record && outcome.version > this.versionFloor + 1) return undefined;
      const lineage = row.logId ?? '';
      const rules = this.#parts.objectOf(row.objectName);
      // A create announced before another write made the record replaces it, in the application as well.
      if (rules?.isAnnounced && said.operation === 'create' && record?.bornBy === 'server') return undefined;
      const lost = rules && findLostUpdate({ said, lineage, sequence: row.sequence, outcome, state }, record, rules);
      if (lost) this.#parts.verdict.report(lost.invariant, lost.message);
      record = write(record, { said, lineage, row, version: outcome.version, changedAt: state.changedAt });
    }
    return record;
  }

  #checkTimes(state: RecordState): void {
    const { verdict, now, latestTimeOf } = this.#parts;
    const stamp = state.writes[state.version];
    if (!stamp) return;
    const latest = stamp.logId === 'server' ? now() : Math.min(now(), latestTimeOf(stamp.logId));
    if (stamp.time > latest + 1) {
      verdict.report('I10', `${nameOf(state)} v${state.version} claims a time ${stamp.time - latest} ms too late.`);
    }
  }
}

interface TrueWrite {
  readonly said: MutationLogEntry;
  readonly lineage: string;
  readonly row: LedgerRow;
  readonly version: number;
  readonly changedAt: number;
}

function write(before: TrueRecord | undefined, { said, lineage, row, version, changedAt }: TrueWrite): TrueRecord {
  const { objectName, recordId, operation } = said;
  const dropped = row.outcome.status === 'applied' ? row.outcome.droppedFields : [];
  const data = Object.fromEntries(Object.entries(said.data ?? {}).filter(([field]) => !dropped.includes(field)));
  const common = { objectName, recordId, version, place: 0, changedAt };
  const born = { born: before?.born ?? version, bornBy: before?.bornBy ?? lineage };
  if (operation === 'delete') return { ...common, ...born, data: null, fields: new Map() };
  const isNew = !before?.data;
  const fields = new Map(isNew ? [] : before.fields);
  for (const field of Object.keys(data)) fields.set(field, { version, lineage, sequence: row.sequence });
  if (isNew) return { ...common, born: version, bornBy: lineage, data, fields };
  return { ...common, ...born, data: { ...before.data, ...data }, fields };
}

/** A state that the server itself made: taken as it is. */
function fresh(state: RecordState): TrueRecord {
  const { objectName, recordId, version, data, born, bornBy, changedAt } = state;
  const fields = new Map<string, TrueField>();
  for (const [field, at] of Object.entries(state.fields)) {
    const stamp = state.writes[at];
    fields.set(field, { version: at, lineage: stamp?.logId ?? '', sequence: stamp?.sequence ?? 0 });
  }
  return { objectName, recordId, version, data, born, bornBy: bornBy.logId, changedAt, fields, place: 0 };
}

function without(data: JsonObject, field: string): JsonObject {
  const { [field]: _, ...rest } = data;
  return rest;
}
