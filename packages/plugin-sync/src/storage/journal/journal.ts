/**
 * An append-only file of batches: after a power cut, what `append` synced is there whole and in order, with everything
 * before it.
 */
import type { Disk, DiskFile } from './disk.js';
import { encodeLine } from './journal-line.js';
import { JOURNAL_HEADER, readJournal } from './read-journal.js';

/** Its calls must not overlap. */
export class Journal {
  readonly #disk: Disk;
  readonly #path: string;
  #file: DiskFile | undefined;
  /** Bytes that are certainly on the disk; the file is longer by what was left to the system, or after a failure. */
  #synced = 0;
  /** The lines after them, left to the system. The system drops what it fails to write: they are written again then. */
  #unsynced: Uint8Array = NONE;
  #isTailClean = true;
  #isDirectorySynced = true;
  #isMarked = true;

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** Opens or creates the journal at `path`, and hands out the JSON of its batches. */
  static async open(
    disk: Disk,
    path: string,
  ): Promise<{ readonly journal: Journal; readonly texts: readonly string[] }> {
    const journal = new Journal(disk, path);
    const bytes = await disk.read(path);
    if (bytes === undefined || bytes.length === 0) {
      await journal.rewrite([]);
      return { journal, texts: [] };
    }
    const { texts, goodBytes, syncedBytes } = readJournal(bytes, path);
    journal.#synced = syncedBytes;
    journal.#unsynced = bytes.subarray(syncedBytes, goodBytes);
    try {
      // Also syncs lines that a crash left unsynced: once told, they must not vanish with the next crash. They are
      // written again, because after a failed sync they may be readable but not on the disk.
      await journal.#cleanTail();
      // A process may have died between renaming this file into place and syncing the rename.
      await journal.#syncDirectory();
    } catch (error) {
      await journal.#closeFile();
      throw error;
    }
    return { journal, texts };
  }

  /** Bytes of the file. */
  get bytes(): number {
    return this.#synced + this.#unsynced.length;
  }

  /**
   * Appends batches, as JSON. Either one sync brings them and all unsynced lines to the disk, or the system decides
   * when they reach it: a power cut may then lose them and all appended after them. When it fails, none of them is in
   * the journal.
   */
  async append(texts: readonly string[], { isSynced }: { readonly isSynced: boolean }): Promise<void> {
    if (!this.#isDirectorySynced) await this.#syncDirectory();
    if (!this.#isTailClean) await this.#cleanTail();
    const lines = texts.map((text) => encodeLine({ text, synced: this.#synced }));
    const bytes = lines.length === 1 && lines[0] ? lines[0] : Buffer.concat(lines);
    const size = this.bytes + bytes.length;
    const isDue = isSynced || size - this.#synced > MAX_UNSYNCED_BYTES;
    try {
      // At once if it is open: the disk works while the caller goes on.
      const file = this.#file ?? (await this.#openFile());
      await file.write(bytes, this.bytes);
      if (isDue) await file.sync();
    } catch (error) {
      await this.#cleanTail().catch(() => {
        // The next append tries again first, and fails as long as this does.
      });
      throw error;
    }
    if (isDue) this.#synced = size;
    this.#unsynced = isDue ? NONE : Buffer.concat([this.#unsynced, bytes]);
    this.#isMarked = false;
  }

  /** Replaces the whole content in one step: a crash leaves either the old or the new one. */
  async rewrite(texts: Iterable<string>): Promise<void> {
    try {
      const size = await this.#writeAside(texts);
      // Windows does not rename over an open file.
      await this.#closeFile();
      this.#isDirectorySynced = false;
      await this.#disk.rename(this.#pathAside, this.#path);
      this.#synced = size;
      this.#unsynced = NONE;
    } catch (error) {
      // On a full disk, it would take the last room from batches that still fit.
      await this.#disk.remove(this.#pathAside).catch(() => {});
      throw error;
    }
    this.#isTailClean = true;
    this.#isMarked = true;
    await this.#syncDirectory();
  }

  /** Marks the end, so that damage to the last batches is noticed too, then closes the file. */
  async close(): Promise<void> {
    if (!this.#isMarked) {
      // Twice: a damaged line break before the first would also spoil it.
      await this.append([MARK, MARK], { isSynced: true }).catch(() => {
        // The disk is full or gone. All batches are in the file; only later damage to the last ones may go unnoticed.
      });
    }
    await this.#closeFile();
  }

  get #pathAside(): string {
    return `${this.#path}.new`;
  }

  /** Writes and syncs the new content beside the old one. Returns its size. */
  async #writeAside(texts: Iterable<string>): Promise<number> {
    const file = await this.#disk.create(this.#pathAside);
    try {
      let size = 0;
      const write = async (bytes: Uint8Array) => {
        await file.write(bytes, size);
        size += bytes.length;
      };
      await write(Buffer.from(JOURNAL_HEADER));
      for (const text of texts) await write(encodeLine({ text, synced: size }));
      await write(encodeLine({ text: MARK, synced: size }));
      await file.sync();
      return size;
    } finally {
      await file.close();
    }
  }

  /** Cuts off what may not be whole, and syncs the rest. */
  async #cleanTail(): Promise<void> {
    this.#isTailClean = false;
    const file = await this.#openFile();
    await file.write(this.#unsynced, this.#synced);
    await file.truncate(this.bytes);
    await file.sync();
    this.#synced = this.bytes;
    this.#unsynced = NONE;
    this.#isTailClean = true;
  }

  async #syncDirectory(): Promise<void> {
    await this.#disk.syncDirectoryOf(this.#path);
    this.#isDirectorySynced = true;
  }

  async #openFile(): Promise<DiskFile> {
    this.#file ??= await this.#disk.open(this.#path);
    return this.#file;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

/** The most left unsynced: it is kept in memory until synced, and copied when more comes. */
const MAX_UNSYNCED_BYTES = 64 * 1024;

const NONE = new Uint8Array();

/** An empty batch. Its line tells that everything before it was synced. */
const MARK = '{}';
