/** A disk for tests: at a power cut it forgets any part of what was not synced. */
import type { Disk, DiskFile } from './disk.js';

export interface PowerCutDiskOptions {
  /** A number in [0, 1); decides which unsynced pieces survive. */
  readonly random: () => number;
}

/**
 * Keeps files in memory. Unsynced writes survive a power cut in pieces, in any combination, as on a real disk. After a
 * failed sync, as on Linux, no later sync brings its writes to the disk, even of another process, though both can read
 * them. Names survive up to some moment between the last sync of the directory and the cut.
 */
export class PowerCutDisk implements Disk {
  readonly #random: () => number;
  /** The names now and since the last sync of the directory, the oldest first. */
  #names: ReadonlyMap<string, Inode> = new Map();
  #namesBefore: readonly ReadonlyMap<string, Inode>[] = [];
  #operationsLeft = Number.POSITIVE_INFINITY;
  #failure: { readonly operation: number; readonly error: Error; readonly times: number } | undefined;
  #boot = 0;

  constructor(options: PowerCutDiskOptions) {
    this.#random = options.random;
  }

  /** Cuts the power in the middle of the n-th operation from now: it and all later ones fail until a restart. */
  cutPowerAt(operation: number): void {
    this.#operationsLeft = operation;
  }

  /** Fails `times` operations, from the n-th from now, with this error and without doing them. */
  failAt(operation: number, error: Error, times = 1): void {
    this.#failure = { operation, error, times };
  }

  /** Whether the power was cut. */
  get isOff(): boolean {
    return this.#operationsLeft <= 0;
  }

  /** Lets the process start again: it died, but the machine did not, so nothing written is lost. */
  restartProcess(): void {
    this.#operationsLeft = Number.POSITIVE_INFINITY;
    this.#failure = undefined;
    this.#boot++;
  }

  /** Lets the machine start again, with what survived on the disk. */
  restartMachine(): void {
    const histories = [...this.#namesBefore, this.#names];
    const survivors = histories[Math.floor(this.#random() * histories.length)] ?? this.#names;
    for (const inode of new Set(survivors.values())) inode.forget(this.#random);
    this.#names = survivors;
    this.#namesBefore = [];
    this.restartProcess();
  }

  async resolve(path: string): Promise<string> {
    return path;
  }

  async lock(): Promise<() => Promise<void>> {
    return async () => {};
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    return this.#operate(() => this.#names.get(path)?.content.slice());
  }

  async create(path: string): Promise<DiskFile> {
    const inode = await this.#operate(() => {
      const known = this.#names.get(path);
      known?.change({ size: 0 });
      if (known) return known;
      const created = new Inode();
      this.#rename(new Map([...this.#names, [path, created]]));
      return created;
    });
    return this.#fileOf(inode);
  }

  async open(path: string): Promise<DiskFile> {
    const inode = await this.#operate(() => this.#names.get(path));
    if (!inode) throw new Error(`${path} is missing`);
    return this.#fileOf(inode);
  }

  #fileOf(inode: Inode): DiskFile {
    const boot = this.#boot;
    const operate = (work: () => void) => {
      // A process does not live through a power cut, nor do the files it had open.
      if (boot !== this.#boot) return Promise.reject(new Error('power cut'));
      return this.#operate(work);
    };
    return {
      write: (bytes, position) => operate(() => inode.change({ position, bytes: bytes.slice() })),
      truncate: (size) => operate(() => inode.change({ size })),
      sync: () =>
        operate(() => inode.sync()).catch((error) => {
          inode.failToSync(this.#random);
          throw error;
        }),
      close: async () => {},
    };
  }

  async remove(path: string): Promise<void> {
    return this.#operate(() => {
      const names = new Map(this.#names);
      if (names.delete(path)) this.#rename(names);
    });
  }

  async rename(from: string, to: string): Promise<void> {
    return this.#operate(() => {
      const inode = this.#names.get(from);
      if (!inode) throw new Error(`${from} is missing`);
      const names = new Map([...this.#names, [to, inode] as const]);
      names.delete(from);
      this.#rename(names);
    });
  }

  async syncDirectoryOf(): Promise<void> {
    return this.#operate(() => {
      this.#namesBefore = [];
    });
  }

  #rename(names: ReadonlyMap<string, Inode>): void {
    this.#namesBefore = [...this.#namesBefore, this.#names];
    this.#names = names;
  }

  async #operate<T>(work: () => T): Promise<T> {
    this.#operationsLeft--;
    if (this.#failure) {
      const { operation, error, times } = this.#failure;
      if (operation > 1) this.#failure = { operation: operation - 1, error, times };
      else {
        this.#failure = times > 1 ? { operation, error, times: times - 1 } : undefined;
        throw error;
      }
    }
    // The power fails in the middle: a write is under way, a sync is not done.
    if (this.#operationsLeft === 0 && this.#random() < 0.5) work();
    if (this.#operationsLeft <= 0) throw new Error('power cut');
    return work();
  }
}

type Change = { readonly position: number; readonly bytes: Uint8Array } | { readonly size: number };

class Inode {
  content = new Uint8Array();
  #synced = new Uint8Array();
  #unsynced: readonly Change[] = [];

  change(change: Change): void {
    this.content = changed(this.content, change);
    this.#unsynced = [...this.#unsynced, change];
  }

  sync(): void {
    for (const change of this.#unsynced) this.#synced = changed(this.#synced, change);
    this.#unsynced = [];
  }

  /** Brings random unsynced pieces to the disk, and takes the rest for synced. */
  failToSync(random: () => number): void {
    const all = this.#unsynced.flatMap((whole) => pieces(whole, random));
    this.#unsynced = all.filter(() => random() < 0.5);
    this.sync();
  }

  /** Goes back to what was synced and keeps random pieces of what was not. */
  forget(random: () => number): void {
    this.failToSync(random);
    this.content = this.#synced;
  }
}

function changed(content: Uint8Array<ArrayBuffer>, change: Change): Uint8Array<ArrayBuffer> {
  if ('size' in change) {
    const cut = new Uint8Array(change.size);
    cut.set(content.subarray(0, change.size));
    return cut;
  }
  const { position, bytes } = change;
  const longer = new Uint8Array(Math.max(content.length, position + bytes.length));
  longer.set(content);
  longer.set(bytes, position);
  return longer;
}

/** A write reaches the disk in pieces, a truncation as a whole. */
function pieces(change: Change, random: () => number): readonly Change[] {
  if ('size' in change) return [change];
  const cuts: Change[] = [];
  for (let start = 0; start < change.bytes.length; ) {
    const end = start + 1 + Math.floor(random() * change.bytes.length);
    cuts.push({ position: change.position + start, bytes: change.bytes.slice(start, end) });
    start = end;
  }
  return cuts;
}
