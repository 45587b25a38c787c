/** A client's state in memory, kept in step with the journal it is rebuilt from. */
import type { StorageBatch } from '../client-storage.js';
import { frozen } from '../frozen-copy.js';
import { CountableTables } from './countable-tables.js';
import type { Disk } from './disk.js';
import { Journal } from './journal.js';

export interface JournaledTablesOptions {
  readonly disk: Disk;
  readonly path: string;
  /** The journal is rewritten when its garbage exceeds both its live content and this. */
  readonly compactAboveBytes: number;
}

/** A batch to be written. */
export interface WrittenBatch {
  /** A `frozenCopy`: the tables keep it. */
  readonly batch: StorageBatch;
  /** Its JSON. */
  readonly text: string;
}

/** Its calls must not overlap. */
export class JournaledTables {
  readonly tables = new CountableTables();
  readonly #journal: Journal;
  #compactAboveBytes: number;
  /** Bytes of the journal that are garbage, roughly counted, which is close enough. */
  #garbage = 0;

  private constructor(journal: Journal, compactAboveBytes: number) {
    this.#journal = journal;
    this.#compactAboveBytes = compactAboveBytes;
  }

  static async open({ disk, path, compactAboveBytes }: JournaledTablesOptions): Promise<JournaledTables> {
    const { journal, texts } = await Journal.open(disk, path);
    const opened = new JournaledTables(journal, compactAboveBytes);
    // The journal's checksums vouch for it: this is what `write` was given.
    for (const text of texts) opened.#apply(frozen(JSON.parse(text)));
    return opened;
  }

  /** Appends batches to the journal and applies them: all, or none when it fails. Durable if `isSynced`. */
  async write(batches: readonly WrittenBatch[], { isSynced }: { readonly isSynced: boolean }): Promise<void> {
    const [first, ...others] = batches;
    if (!first) return;
    const appending = this.#journal.append(
      batches.map(({ text }) => text),
      { isSynced },
    );
    // Counted while the disk is busy, so that the first batch, mostly the only one, need not wait for this as well.
    const garbage = this.#garbageOf(first.batch);
    await appending;
    this.#apply(first.batch, garbage);
    for (const { batch } of others) this.#apply(batch);
  }

  /** Rewrites the journal when it is mostly garbage. Loses nothing when that fails: the old one is still good. */
  async compactIfDue(): Promise<void> {
    const alive = this.#journal.bytes - this.#garbage;
    if (this.#garbage <= Math.max(alive, this.#compactAboveBytes)) return;
    try {
      await this.#journal.rewrite(this.#snapshot());
      this.#garbage = 0;
    } catch {
      // Most likely there is no room for a second copy. Trying at every batch would slow each of them down; the journal
      // goes on growing until the disk is full and `write` fails.
      this.#compactAboveBytes = 2 * this.#garbage;
    }
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #apply(batch: StorageBatch, garbage = this.#garbageOf(batch)): void {
    this.#garbage += garbage;
    this.tables.apply(batch);
  }

  /** How many bytes of the journal become garbage once this batch is applied. */
  #garbageOf(batch: StorageBatch): number {
    const { removeEntries, removeRecords, removeConflicts, removeDeadLetters } = batch;
    let bytes = roughBytes([removeEntries, removeRecords, removeConflicts, removeDeadLetters]);
    for (const displaced of this.tables.displacedBy(batch)) bytes += roughBytes(displaced);
    return bytes;
  }

  /** The present state as batches of moderate size, generated one at a time. */
  *#snapshot(): Iterable<string> {
    const { meta, entries, conflicts, deadLetters } = this.tables.state();
    if (meta) yield JSON.stringify({ meta } satisfies StorageBatch);
    for (const putEntries of slices(entries)) yield JSON.stringify({ putEntries } satisfies StorageBatch);
    for (const putConflicts of slices(conflicts)) yield JSON.stringify({ putConflicts } satisfies StorageBatch);
    for (const putDeadLetters of slices(deadLetters)) yield JSON.stringify({ putDeadLetters } satisfies StorageBatch);
    for (const putRecords of slices(this.tables.allRecords()))
      yield JSON.stringify({ putRecords } satisfies StorageBatch);
  }
}

/** Roughly the value's bytes as JSON: writing it out again to count them would cost more than all the rest. */
function roughBytes(value: unknown): number {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 5;
  let bytes = 2;
  if (Array.isArray(value)) for (const part of value) bytes += roughBytes(part);
  // Iterates over keys: making a list of entries for each object took most of the count.
  else for (const key in value) bytes += key.length + 3 + roughBytes((value as Readonly<Record<string, unknown>>)[key]);
  return bytes;
}

/** 100 values of at most 256 KiB stay far below what a string may hold. */
const SLICE = 100;

function* slices<T>(values: Iterable<T>): Iterable<readonly T[]> {
  let slice: T[] = [];
  for (const value of values) {
    slice.push(value);
    if (slice.length < SLICE) continue;
    yield slice;
    slice = [];
  }
  if (slice.length > 0) yield slice;
}
