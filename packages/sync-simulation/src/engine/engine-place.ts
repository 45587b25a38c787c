/**
 * A local data engine's database and what the simulation knows about it, for all processes and users that open it. What
 * the app has committed must be noted, and recorded as noted: once, in order, and for its user.
 */
import type { ClientMeta } from '@objectql/plugin-sync';
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import { OBJECT_NAMES } from '../disk.js';
import { hasGoneBack } from '../record-history.js';
import { isSame, nameOf } from '../record-name.js';
import type { Verdict } from '../violation.js';
import { EngineDatabase, type RowChange } from './engine-database.js';
import { valuesOf } from './engine-objects.js';

const OUTBOX = 'objectstack_sync_outbox';
const KNOWN = 'objectstack_sync_known';

/** A write of the app, as committed. */
interface Note {
  readonly id: string;
  /** Notes are recorded in this order. */
  readonly order: number;
  readonly name: string;
  readonly operation: string;
  readonly data: JsonObject | null;
  readonly at: string;
  readonly user: string;
  /** What the engine showed when it was written. */
  readonly shown: JsonObject;
  /** What the client had stored then. */
  readonly meta: ClientMeta | undefined;
}

/** What matters here of the process that has committed something. */
export interface Committer {
  readonly name: string;
  readonly user: string;
  /** The facts that its client has stored. */
  readonly meta: ClientMeta | undefined;
  /** True once a sync has ended in this process. */
  readonly hasCaughtUp: boolean;
  /** Whether it receives other devices' changes of an object. */
  keeps(objectName: string): boolean;
  /** True for a record that the client has had in this process. */
  hasHeld(name: string): boolean;
  /** Told of each note that is durable. */
  noted(id: string): void;
  /** Called after each commit. */
  changed(): void;
}

export interface EnginePlaceParts {
  readonly verdict: Verdict;
  /** True for a client that knew another history of the server than it knows now. */
  readonly isOfLostFeed: (before: ClientMeta | undefined, now: ClientMeta | undefined) => boolean;
  /**
   * A record's state at a version, in the history that a client with these facts knows, or in each that it may know.
   */
  readonly statesOf: (name: string, version: number, meta: ClientMeta | undefined) => readonly (JsonObject | null)[];
}

export class EnginePlace {
  readonly database = new EngineDatabase();
  readonly #parts: EnginePlaceParts;
  readonly #notes = new Map<string, Note>();
  readonly #recorded = new Set<string>();
  readonly #lastRecorded = new Map<string, number>();
  /** The values that the app itself has written, or a decision of its user, by record and field. */
  readonly #own = new Set<string>();
  #orders = 0;

  constructor(parts: EnginePlaceParts) {
    this.#parts = parts;
  }

  /** Puts records there that the app had before it had sync, with values of this user's. */
  fill(user: string): void {
    const changes = OBJECT_NAMES.flatMap((objectName): readonly RowChange[] =>
      ['a', 'e'].map((recordId) => {
        const after = { id: recordId, title: `${user}:before`, status: `${user}:before` };
        return { objectName, recordId, before: undefined, after, by: 'app' };
      }),
    );
    this.database.commit(changes);
    this.database.sync();
    for (const change of changes) this.#takeDown(nameOf(change), valuesOf(change.after));
  }

  /** True for a mutation whose note waits in the outbox. */
  isWaiting(id: string): boolean {
    return this.#waiting().some((row) => row.mutation_id === id);
  }

  /** This user's waiting mutations. */
  waitingOf(user: string): readonly string[] {
    return this.#waiting().flatMap((row) => (row.noted_for === user ? [String(row.mutation_id)] : []));
  }

  /** The records whose waiting mutations are all this user's. */
  unrecorded(user: string): readonly string[] {
    return [...new Set(this.#waiting().map((row) => nameOfRow(row)))].filter((name) => {
      const rows = this.#waiting().filter((row) => nameOfRow(row) === name);
      return rows.every(({ noted_for: of }) => of === user);
    });
  }

  /** True for a record with any waiting mutation. */
  hasWaiting(name: string): boolean {
    return this.#waiting().some((row) => nameOfRow(row) === name);
  }

  isKnown(name: string): boolean {
    return [...this.database.table(KNOWN).values()].some((row) => nameOfRow(row) === name);
  }

  /** Undoes the last commits, as in a power cut; answers the mutations that are no longer noted. */
  cutPower(commits: number): readonly string[] {
    const lost = this.database
      .takeBack(commits)
      .flatMap(({ objectName, before, after }) =>
        objectName === OUTBOX && !before && after ? [String(after.mutation_id)] : [],
      );
    for (const id of lost) if (!this.#recorded.has(id)) this.#notes.delete(id);
    return lost;
  }

  /** Judges the changes that a transaction has made durable. */
  committed(changes: readonly RowChange[], committer: Committer): void {
    const noted = changes.filter(({ objectName, before, after }) => objectName === OUTBOX && !before && after);
    const notedNames = noted.map(({ after = {} }) => nameOfRow(after));
    const written = changes.filter(({ objectName }) => objectName !== OUTBOX && objectName !== KNOWN);
    for (const change of written) {
      if (change.by === 'sync') this.#checkWrittenBySync(change, changes, committer);
      else if (change.by === 'hook') this.#checkTakenAlong(change, committer);
      else this.#takeDown(nameOf(change), valuesOf(change.after));
    }
    const byApp = written.filter(({ by }) => by === 'app').map((change) => nameOf(change));
    for (const name of new Set([...byApp, ...notedNames])) {
      const change = written.find((one) => nameOf(one) === name);
      this.#checkNoted(name, { change, rows: noted.map(({ after = {} }) => after), committer });
    }
    for (const { after = {} } of noted.toSorted((a, b) => (a.recordId < b.recordId ? -1 : 1))) {
      const name = nameOfRow(after);
      const before = written.find((one) => nameOf(one) === name)?.before;
      const id = String(after.mutation_id);
      const data = typeof after.data === 'string' ? (JSON.parse(after.data) as JsonObject) : null;
      // A later write of the transaction may have replaced it; recorded again after a crash, it is seen for a while.
      this.#takeDown(name, data);
      this.#notes.set(id, {
        id,
        order: ++this.#orders,
        name,
        operation: String(after.operation),
        data,
        at: String(after.noted_at),
        user: committer.user,
        shown: valuesOf(before),
        meta: committer.meta,
      });
      committer.noted(id);
    }
    committer.changed();
  }

  /** Judges a mutation that is in this user's log for the first time, and not because the user decided a conflict. */
  recorded(mutation: MutationLogEntry, { user, name: device, meta }: Pick<Committer, 'user' | 'name' | 'meta'>): void {
    const { verdict } = this.#parts;
    const { id, operation, data = null, timestamp, baseVersion } = mutation;
    const note = this.#notes.get(id);
    const name = nameOf(mutation);
    const what = `${device} recorded ${operation} ${id} of ${name}`;
    if (!note) return verdict.report('I2', `${what}, which no commit of the app has noted.`);
    if (note.user !== user) return verdict.report('I12', `${what} for ${user}, and it is ${note.user}’s.`);
    if (note.name !== name || note.operation !== operation || !isSame(note.data, data))
      return verdict.report('I1', `${what} as ${JSON.stringify(data)}, noted as ${JSON.stringify(note)}.`);
    if (note.at !== timestamp) return verdict.report('I10', `${what} of ${note.at} as made at ${timestamp}.`);
    if (this.#recorded.has(id)) return;
    this.#recorded.add(id);
    if (note.order < (this.#lastRecorded.get(name) ?? 0)) verdict.report('I3', `${what} behind a later one.`);
    this.#lastRecorded.set(name, note.order);
    if (baseVersion === null) return;
    const knows = hasGoneBack(note.meta, meta) ? note.meta : meta;
    if (this.#parts.isOfLostFeed(note.meta, knows))
      verdict.report('I8', `${what} on v${baseVersion} of a feed that is lost.`);
    this.#checkBase(note, this.#parts.statesOf(name, baseVersion, knows), what);
  }

  /** Takes down what a conflict's decision writes: it may keep a value that only others had written. */
  decided({ data, ...ref }: MutationLogEntry): void {
    this.#takeDown(nameOf(ref), data);
  }

  /** Judges a mutation that is in a log again although its user still has to decide about it. */
  recordedTwice(mutation: MutationLogEntry, device: string): void {
    const what = `${device} recorded ${mutation.id} of ${nameOf(mutation)} again`;
    this.#parts.verdict.report('I2', `${what}, which waits for its user already.`);
  }

  /** A mutation's base must be a state that the user has seen. */
  #checkBase({ name, data, shown }: Note, states: readonly (JsonObject | null)[], what: string): void {
    // A delete is of all that its user has seen.
    for (const field of Object.keys(data ?? shown)) {
      const seen = shown[field] ?? null;
      if (seen === null || this.#own.has(`${name} ${field} ${JSON.stringify(seen)}`)) continue;
      if (states.some((state) => isSame(state?.[field] ?? null, seen))) continue;
      const of = `${field} was ${JSON.stringify(seen)} in the engine`;
      this.#parts.verdict.report('I8', `${what} on ${JSON.stringify(states)}, and ${of}.`);
    }
  }

  /** The app's change of a record and the notes of it must agree. */
  #checkNoted(
    name: string,
    {
      change,
      rows,
      committer,
    }: {
      readonly change: RowChange | undefined;
      readonly rows: readonly Readonly<Record<string, unknown>>[];
      readonly committer: Committer;
    },
  ): void {
    const [objectName = '', recordId = ''] = name.split('/');
    const row = this.database.table(objectName).get(recordId);
    const before = change ? change.before : row;
    const after = change ? change.after : row;
    const notes = rows
      .filter((note) => nameOfRow(note) === name)
      .toSorted((a, b) => (String(a.id) < String(b.id) ? -1 : 1));
    let said: JsonObject | undefined = before && valuesOf(before);
    for (const { operation, data } of notes) {
      const fields = typeof data === 'string' ? (JSON.parse(data) as JsonObject) : {};
      said = operation === 'delete' ? undefined : operation === 'create' ? fields : { ...said, ...fields };
    }
    // When a record that sync never knew is deleted, nothing is noted.
    if (!after && notes.length === 0 && !this.#wasEverNoted(name)) return;
    if (isSame(said && valuesOf(said), after && valuesOf(after))) return;
    const told = `made ${JSON.stringify(after)} of ${name}, and noted ${JSON.stringify(notes)}`;
    this.#parts.verdict.report('I1', `${committer.name} ${told}.`);
  }

  /** Sync must leave alone records that wait, that it does not know, or that may only be missing. */
  #checkWrittenBySync(change: RowChange, all: readonly RowChange[], committer: Committer): void {
    const { verdict } = this.#parts;
    const name = nameOf(change);
    if (this.hasWaiting(name)) verdict.report('I1', `${committer.name} wrote over ${name}, of which something waits.`);
    if (change.after) return;
    const isKnown =
      this.isKnown(name) ||
      all.some(({ objectName, before }) => objectName === KNOWN && before && nameOfRow(before) === name);
    if (!isKnown) verdict.report('I1', `${committer.name} deleted ${name}, which the engine alone has.`);
    if (!committer.keeps(change.objectName))
      verdict.report('I1', `${committer.name} deleted ${name}, which is only pushed.`);
    if (!committer.hasCaughtUp && !committer.hasHeld(name))
      verdict.report('I1', `${committer.name} deleted ${name}, which its client may only be missing.`);
  }

  /** What sync knows goes when the client no longer has it, and not with other records. */
  #checkTakenAlong(change: RowChange, { name: device, keeps }: Committer): void {
    const name = nameOf(change);
    if (!change.after && keeps(change.objectName) && this.isKnown(name))
      this.#parts.verdict.report('I1', `${device} deleted ${name} along with another record.`);
    this.#takeDown(name, valuesOf(change.after));
  }

  #takeDown(name: string, values: JsonObject | null | undefined): void {
    for (const [field, value] of Object.entries(values ?? {}))
      this.#own.add(`${name} ${field} ${JSON.stringify(value)}`);
  }

  #wasEverNoted(name: string): boolean {
    return [...this.#notes.values()].some((note) => note.name === name);
  }

  #waiting(): readonly Readonly<Record<string, unknown>>[] {
    return [...this.database.table(OUTBOX).values()];
  }
}

function nameOfRow(row: Readonly<Record<string, unknown>>): string {
  return nameOf({ objectName: String(row.object_name), recordId: String(row.record_id) });
}
