/** Keeps what this tab has in memory as fresh as the storage, which all tabs write. */
import { type RecordRef, refOf } from '@objectql/sync-types';
import { Retry } from '../cycle/retry.js';
import type { ClientLog } from '../log/client-log.js';
import type { Platform } from '../platform/platform.js';
import type { Changed } from '../records/record-watch.js';

export interface WriteWatchParts {
  readonly log: ClientLog;
  readonly platform: Platform;
  /** Called when the log has been read again, with the records that this may have changed. */
  readonly onReread: (changed: Changed) => void;
  readonly onFailed: (error: unknown) => void;
}

/** 1 s: a write takes milliseconds; a tab that has not told its end by then is gone, or does not know it. */
const WRITE_MS = 1000;

export class WriteWatch {
  readonly #parts: WriteWatchParts;
  /** What each revision changed that the log has not taken in yet. */
  readonly #changedByRevision = new Map<number, Changed>();
  readonly #writing = new Set<string>();
  #disarm: (() => void) | undefined;
  #isStopped = false;
  #last: Promise<void> = Promise.resolve();
  /** A read that was asked for but has not begun: it will see everything written until then. */
  #next: Promise<void> | undefined;
  /** Perhaps nobody writes any more: a read that fails must not wait for that. */
  readonly #retry: Retry;

  constructor(parts: WriteWatchParts) {
    this.#parts = parts;
    this.#retry = new Retry(parts.platform, () => this.readAgain());
  }

  /** Another tab begins to write. */
  begins(tab: string): void {
    this.#writing.add(tab);
    this.#disarm ??= this.#parts.platform.setTimer(() => {
      this.#disarm = undefined;
      if (this.#writing.size === 0) return;
      this.#writing.clear();
      void this.readAgain();
    }, WRITE_MS);
  }

  /** Another tab has written this revision. */
  ended(tab: string, revision: number, changed: Changed): void {
    this.#writing.delete(tab);
    this.#changedByRevision.set(revision, changed);
    if (this.#isBehind()) void this.readAgain();
  }

  /** This tab has written this revision; the writer itself tells those who watch its records here. */
  wrote(revision: number): void {
    // Everything before it is taken in, or it could not have been written. Without this, a lone tab would keep every
    // revision.
    this.#changedByRevision.delete(revision - 1);
    this.#changedByRevision.set(revision, []);
  }

  /** Reads everything stored by now, including what nobody told of. Never rejects. */
  readAgain(): Promise<void> {
    if (!this.#next) {
      this.#next = this.#last.then(() => {
        this.#next = undefined;
        return this.#read();
      });
      this.#last = this.#next;
    }
    return this.#next;
  }

  /** Resolves when everything told so far is taken in. */
  untilFresh(): Promise<void> {
    return this.#last;
  }

  stop(): void {
    this.#isStopped = true;
    this.#disarm?.();
    this.#retry.stop();
  }

  async #read(): Promise<void> {
    const { log, onReread, onFailed } = this.#parts;
    try {
      if (this.#isStopped) return;
      await log.load();
      const revision = log.meta.revision;
      const before = pendingRefs(log);
      await log.reload();
      this.#retry.succeeded();
      onReread(this.#changedBetween(revision, log.meta.revision, differing(before, pendingRefs(log))));
    } catch (error) {
      if (this.#isStopped) return;
      this.#retry.failed();
      onFailed(error);
    }
  }

  #isBehind(): boolean {
    return Math.max(...this.#changedByRevision.keys()) > this.#parts.log.meta.revision;
  }

  #changedBetween(after: number, upTo: number, pending: readonly RecordRef[]): Changed {
    const refs = [...pending];
    let isAll = false;
    for (let revision = after + 1; revision <= upTo; revision++) {
      const changed = this.#changedByRevision.get(revision) ?? 'all';
      if (changed === 'all') isAll = true;
      else refs.push(...changed);
    }
    for (const revision of this.#changedByRevision.keys()) {
      if (revision <= upTo) this.#changedByRevision.delete(revision);
    }
    return isAll ? 'all' : refs;
  }
}

function pendingRefs(log: ClientLog): ReadonlyMap<string, RecordRef> {
  return new Map(Array.from(log.pending, ({ mutation }) => [mutation.id, mutation]));
}

/** The records of mutations that only one of the two has. */
function differing(
  before: ReadonlyMap<string, RecordRef>,
  after: ReadonlyMap<string, RecordRef>,
): readonly RecordRef[] {
  const gone = [...before].filter(([id]) => !after.has(id));
  const added = [...after].filter(([id]) => !before.has(id));
  return [...gone, ...added].map(([, ref]) => refOf(ref));
}
