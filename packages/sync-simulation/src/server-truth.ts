/**
 * The reference model of the server: it computes records, versions, feed and ledger from the commits without a line of
 * the product's code, and compares them with what was really saved.
 */
import type { Intent, LedgerRow, RecordState, SaveRequest } from '@objectql/protocol-sync';
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import type { Place } from './invariants/checkpoint.js';
import { findLostUpdate, type TrueField } from './invariants/lost-update.js';
import type { ObjectPlan } from './plan.js';
import { isSame, nameOf } from './record-name.js';
import { fresh, type TrueRecord, writeTruth } from './true-record.js';
import type { Verdict } from './violation.js';
import type { Carrier } from './wire-watch.js';

/** What the world knows besides the server's commits. */
export interface TruthParts {
  readonly verdict: Verdict;
  readonly objectOf: (objectName: string) => ObjectPlan | undefined;
  /** A mutation as a device sent it. */
  readonly saidBy: (mutationId: string) => MutationLogEntry | undefined;
  /** Told each new state of a record. */
  readonly onState: (name: string, record: TrueRecord) => void;
  /** The mutation's base version when it was sent to the server of that history. */
  readonly baseOf: (mutationId: string, line: string) => number;
  /** The request that brought it last. */
  readonly carrierOf: (mutationId: string) => Carrier | undefined;
  /** True when the device that brought the one mutation has also made the other: it is not a clone's. */
  readonly isOfOneDevice: (mutationId: string, other: string) => boolean;
  /** True for a change that nobody may make. */
  readonly isForbidden: (said: MutationLogEntry) => boolean;
  /** True once a device gave it up, without knowing whether it was applied. */
  readonly wasSetAside: (mutationId: string) => boolean;
  /** The latest time a write of this log may claim. */
  readonly latestTimeOf: (logId: string) => number;
  readonly now: () => number;
}

/** A field that the application's hook adds to what is written: nobody wrote it, so no model of writes knows it. */
export const HOOKED_FIELD = 'touched';

/** An announced write: the version it was to get, and its base. */
interface Announced {
  readonly version: number;
  readonly base: number;
}

/** The bases on which the mutations of a commit were decided. */
export type Bases = ReadonlyMap<string, number>;

export interface Committed {
  /** The epoch that the store named, if it took places. */
  readonly epoch?: string | undefined;
  /** Set if the commit is repeated from a backup. */
  readonly bases?: Bases | undefined;
}

export class ServerTruth {
  /** The present one of the server's histories: a new one begins with each restore. */
  line = '';
  /** The feed's epochs, as the store named them, with the last place of each. */
  readonly #lastPlaceByEpoch = new Map<string, number>();
  /** True once the server has gone back to a backup: it has then forgotten some of what it knew. */
  isRestored = false;
  head = 0;
  floor = 0;
  versionFloor = 0;
  readonly records = new Map<string, TrueRecord>();
  /** Applied mutations by id, with the version they made, including those that a restore has lost. */
  readonly everApplied = new Map<string, number>();
  /** Applied mutations that were not written in full, because others had written later. */
  readonly dropped = new Set<string>();
  readonly #decided = new Set<string>();
  /** The owners of logs. */
  readonly ownerByLog = new Map<string, string | null>();
  readonly #highest = new Map<string, number>();
  readonly #lastSequence = new Map<string, number>();
  #rows: LedgerRow[] = [];
  readonly #floorByLog = new Map<string, number>();
  readonly #lastTimeByLog = new Map<string, number>();
  /** Announced writes, and their bases. */
  readonly #announced = new Map<string, Announced>();
  readonly #parts: TruthParts;

  constructor(parts: TruthParts) {
    this.#parts = parts;
  }

  /**
   * Takes over a commit, after comparing it with what it should have been. Answers the bases on which its mutations
   * were decided: a commit that is repeated from a backup needs them, since devices may have sent other ones by then.
   */
  commit(saves: readonly SaveRequest[], { epoch, bases: known }: Committed = {}): Bases {
    const bases = new Map<string, number>();
    const baseOf = (id: string) => {
      const base = this.#announced.get(id)?.base ?? known?.get(id) ?? this.#parts.baseOf(id, this.line);
      bases.set(id, base);
      return base;
    };
    for (const { records = [], ledger = [], intents = [], log, formerLogs = [] } of saves) {
      for (const { logId, principal } of log ? [log, ...formerLogs] : formerLogs) {
        if (!this.ownerByLog.has(logId)) this.ownerByLog.set(logId, principal);
      }
      for (const intent of intents) this.#announce(intent, baseOf);
      // Everything that one save writes comes from one request. A row may name a log that its device has left.
      const lineage = records.find(({ origin }) => origin)?.origin?.logId;
      for (const row of ledger) {
        this.#checkRow(row, lineage, known !== undefined);
        this.#rows.push(row);
      }
      for (const state of records) this.#take(state, ledger, baseOf);
    }
    if (epoch !== undefined) this.#lastPlaceByEpoch.set(epoch, this.head);
    return bases;
  }

  /** Whether this history contains all that a device had seen when it got this checkpoint. */
  isOfThisFeed({ epoch, seen }: Pick<Place, 'epoch' | 'seen'>): boolean {
    return seen <= (this.#lastPlaceByEpoch.get(epoch) ?? -1);
  }

  /** Earlier places do not count any more. */
  beginFeed(epoch: string): void {
    this.#lastPlaceByEpoch.clear();
    this.#lastPlaceByEpoch.set(epoch, this.head);
  }

  /** The highest sequence of the log whose outcome is forgotten. */
  floorOf(logId: string): number {
    return this.#floorByLog.get(logId) ?? 0;
  }

  /** Drops what a prune drops. */
  prune(before: number): void {
    for (const { logId, sequence, at } of this.#rows) {
      if (logId !== null && at < before) this.#floorByLog.set(logId, Math.max(this.floorOf(logId), sequence));
    }
    this.#rows = this.#rows.filter(({ at }) => at >= before);
    for (const [name, record] of this.records) {
      if (record.data !== null || record.changedAt >= before) continue;
      this.records.delete(name);
      this.floor = Math.max(this.floor, record.place);
      this.versionFloor = Math.max(this.versionFloor, record.version);
    }
  }

  #announce({ ledger, state }: Intent, baseOf: (id: string) => number): void {
    const { mutationId } = ledger;
    this.#announced.set(mutationId, { version: state.version, base: baseOf(mutationId) });
    this.#checkTimes(state);
  }

  #checkRow(row: LedgerRow, lineage: string | undefined, isReplay: boolean): void {
    const { mutationId, objectName, recordId, sequence, outcome } = row;
    const { verdict } = this.#parts;
    // The user took it up again from the dead letters, and meanwhile the ledger has forgotten what a late copy of it
    // did.
    const isAnother = this.#parts.wasSetAside(mutationId) && !this.#isRemembered(mutationId);
    if (this.#decided.has(mutationId) && !isAnother) verdict.report('I2', `Mutation ${mutationId} was decided twice.`);
    this.#decided.add(mutationId);
    if (outcome.status !== 'applied') return;
    if (outcome.droppedFields.length > 0) this.dropped.add(mutationId);
    this.everApplied.set(mutationId, outcome.version);
    const said = this.#parts.saidBy(mutationId);
    if (said && this.#parts.isForbidden(said))
      verdict.report('I12', `${mutationId} was applied, which nobody may make.`);
    // A mutation that changed nothing has no place in the order of writes.
    if (outcome.version <= (this.#highest.get(nameOf({ objectName, recordId })) ?? 0)) return;
    const carrier = this.#parts.carrierOf(mutationId);
    // A restored server does not know the outcome of an earlier request. It may have only a late copy of a device's
    // first one, which has no checkpoint by which to refuse it.
    if (isReplay || carrier?.line !== this.line) return;
    const key = `${carrier.sender} ${lineage} ${nameOf({ objectName, recordId })}`;
    const last = this.#lastSequence.get(key) ?? 0;
    if (sequence <= last) verdict.report('I3', `Sequence ${sequence} of ${key} was applied after ${last}.`);
    this.#lastSequence.set(key, sequence);
  }

  #take(state: RecordState, ledger: readonly LedgerRow[], baseOf: (id: string) => number): void {
    const { verdict } = this.#parts;
    const name = nameOf(state);
    this.head += 1;
    const before = this.records.get(name);
    const rows = ledger.filter((row) => row.outcome.status === 'applied' && nameOf(row) === name);
    const { origin } = state;
    const own = rows.find(({ mutationId }) => mutationId === origin?.mutationId);
    if (origin && !(own?.outcome.status === 'applied' && own.outcome.version === state.version)) {
      verdict.report('I11', `${name} v${state.version} was saved without the ledger row of ${origin.mutationId}.`);
    }
    if (state.version <= Math.max(before?.version ?? 0, this.#highest.get(name) ?? 0)) {
      verdict.report('I5', `${name} went from v${this.#highest.get(name)} to v${state.version}.`);
    }
    this.#highest.set(name, state.version);
    const expected = origin ? this.#expect(before, rows, { state, baseOf }) : undefined;
    if (expected && !isSame(withoutHooked(expected.data), withoutHooked(state.data))) {
      const texts = [expected.data, state.data].map((value) => JSON.stringify(value));
      verdict.report('I11', `${name} v${state.version} should be ${texts[0]} and is ${texts[1]}.`);
    }
    if (!origin || !this.#announced.has(origin.mutationId)) this.#checkTimes(state);
    const record = { ...(expected ?? fresh(state)), place: this.head, data: state.data };
    this.records.set(name, record);
    this.#parts.onState(name, record);
  }

  /** The record after the commit's own writes; `undefined` if only the application knows what it must be. */
  #expect(
    before: TrueRecord | undefined,
    rows: readonly LedgerRow[],
    { state, baseOf }: { readonly state: RecordState; readonly baseOf: (id: string) => number },
  ): TrueRecord | undefined {
    let record = before;
    for (const row of rows) {
      const { outcome, mutationId } = row;
      const said = this.#parts.saidBy(mutationId);
      if (outcome.status !== 'applied' || !said) continue;
      const announced = this.#announced.get(mutationId);
      // A write past sync came between the announcement and the write: the application's record decides.
      if (announced && announced.version !== outcome.version) return undefined;
      if (record && outcome.version === record.version) continue;
      // It began with a record that only the application knew.
      if (!record && outcome.version > this.versionFloor + 1) return undefined;
      const lineage = state.origin?.logId ?? '';
      const rules = this.#parts.objectOf(row.objectName);
      const isOwn = (field: TrueField) =>
        field.mutationId === undefined ||
        this.#parts.isOfOneDevice(mutationId, field.mutationId) ||
        !this.#isForkShown(mutationId, field);
      const applied = { said, base: baseOf(mutationId), lineage, sequence: row.sequence, outcome, isOwn };
      const lost = rules && findLostUpdate(applied, record, rules);
      if (lost) this.#parts.verdict.report(lost.invariant, lost.message);
      record = writeTruth(record, { said, lineage, row, version: outcome.version, changedAt: state.changedAt });
    }
    return record;
  }

  #isRemembered(mutationId: string): boolean {
    return this.#rows.some((row) => row.mutationId === mutationId);
  }

  /**
   * Whether the request that brought the mutation shows that a clone of its device wrote the field: both have put
   * different mutations in one place of their log, and the ledger still knows whose it is. Until then it takes them for
   * one log.
   */
  #isForkShown(mutationId: string, { mutationId: other, lineage, sequence }: TrueField): boolean {
    const isKnown = this.#rows.some((row) => row.mutationId === other && row.logId === lineage);
    const { mutations = [] } = this.#parts.carrierOf(mutationId) ?? {};
    return isKnown && mutations.some((sent) => sent.sequence === sequence && sent.id !== other);
  }

  #checkTimes(state: RecordState): void {
    const { verdict, now, latestTimeOf } = this.#parts;
    const own = state.writes.find(({ version }) => version === state.version)?.stamp;
    const stamp = own ?? (state.origin ? state.deleted : undefined);
    if (!stamp) return;
    const latest = stamp.logId === 'server' ? now() : Math.min(now(), latestTimeOf(stamp.logId));
    const name = `${nameOf(state)} v${state.version}`;
    if (stamp.time > latest + 1) verdict.report('I10', `${name} claims a time ${stamp.time - latest} ms too late.`);
    const last = this.#lastTimeByLog.get(stamp.logId) ?? 0;
    if (stamp.time < last && stamp.logId !== 'server') {
      verdict.report('I10', `${name} claims a time before that of an earlier write of ${stamp.logId}.`);
    }
    this.#lastTimeByLog.set(stamp.logId, Math.max(last, stamp.time));
  }
}

function withoutHooked(data: JsonObject | null): JsonObject | null {
  if (!data) return null;
  const { [HOOKED_FIELD]: _, ...rest } = data;
  return rest;
}
