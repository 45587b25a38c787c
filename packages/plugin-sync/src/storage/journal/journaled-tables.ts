/** A client's state in memory and the journal it is rebuilt from, kept in step. */
import type { StorageBatch } from '../client-storage.js';
import { frozen } from '../frozen-copy.js';
import { MemoryTables } from '../memory-tables.js';
import type { Disk } from './disk.js';
import { Journal } from './journal.js';

export interface JournaledTablesOptions {
  readonly disk: Disk;
  readonly path: string;
  /** The journal is rewritten when its garbage exceeds what is alive in it and this. */
  readonly compactAboveBytes: number;
}

/** Its calls must not overlap. */
export class JournaledTables {
  readonly tables = new MemoryTables();
  readonly #journal: Journal;
  #compactAboveBytes: number;
  /** Bytes of the journal that say nothing any more; counted in characters of JSON, which is close enough. */
  #garbage = 0;

  private constructor(journal: Journal, compactAboveBytes: number) {
    this.#journal = journal;
    this.#compactAboveBytes = compactAboveBytes;
  }

  static async open({ disk, path, compactAboveBytes }: JournaledTablesOptions): Promise<JournaledTables> {
    const { journal, texts } = await Journal.open(disk, path);
    const opened = new JournaledTables(journal, compactAboveBytes);
    for (const text of texts) opened.#apply(text);
    return opened;
  }

  /** Makes batches durable, given as JSON, and applies them: all of them, or none when it fails. */
  async write(texts: readonly string[]): Promise<void> {
    if (texts.length === 0) return;
    await this.#journal.append(texts);
    for (const text of texts) this.#apply(text);
  }

  /** Rewrites the journal when it is mostly garbage. Loses nothing when that fails: the old one is still good. */
  async compactIfDue(): Promise<void> {
    const alive = this.#journal.bytes - this.#garbage;
    if (this.#garbage <= Math.max(alive, this.#compactAboveBytes)) return;
    try {
      await this.#journal.rewrite(this.#snapshot());
      this.#garbage = 0;
    } catch {
      // Most likely there is no room for a second copy. Trying at every batch would make each of them slow; the journal
      // goes on growing meanwhile, until the disk is full and `write` says so.
      this.#compactAboveBytes = 2 * this.#garbage;
    }
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  #apply(text: string): void {
    // The journal's checksums vouch for it: this is what `write` was given.
    const batch: StorageBatch = frozen(JSON.parse(text));
    const { removeEntries, removeRecords, removeConflicts, removeDeadLetters, sweepWalk } = batch;
    const removals = [removeEntries, removeRecords, removeConflicts, removeDeadLetters, sweepWalk];
    this.#garbage += JSON.stringify([removals, this.tables.apply(batch)]).length;
  }

  /** The present state as batches of moderate size, made one at a time. */
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
