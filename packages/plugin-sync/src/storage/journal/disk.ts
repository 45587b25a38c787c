/** What a journal needs of a disk, so that tests can cut its power. */

export interface Disk {
  /** The one absolute name of the file at `path`, whatever links lead to it. */
  resolve(path: string): Promise<string>;
  /**
   * Makes this process the only user of `path`; the returned function releases it. Fails as `LOCKED` when another
   * process is.
   */
  lock(path: string): Promise<() => Promise<void>>;
  /** The content of a file, `undefined` when there is none. */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Opens an empty file for writing, in place of an existing one. */
  create(path: string): Promise<DiskFile>;
  /** Opens an existing file for writing: fails as `CLEARED` if it does not exist. */
  open(path: string): Promise<DiskFile>;
  /** Removes a file if it exists. */
  remove(path: string): Promise<void>;
  /** Puts a file in the place of another in one step. */
  rename(from: string, to: string): Promise<void>;
  /** Makes files created in or renamed into the directory of `path` survive a power cut. */
  syncDirectoryOf(path: string): Promise<void>;
}

export interface DiskFile {
  /** Fails as `CLEARED` if the file was deleted or moved, and its content with it. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Cuts the file off at this size. */
  truncate(size: number): Promise<void>;
  /** Resolves when everything written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}
