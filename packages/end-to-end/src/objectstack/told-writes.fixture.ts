/** What an app with a local data engine was told of its writes, and what became of them. */
import { type MutationLogEntry, recordKey } from '@objectql/sync-types';
import { expect } from 'vitest';
import type { HistoryServer } from './history-server.fixture.js';

/** One write of one record that the application was told is done. */
export interface ToldWrite {
  readonly key: string;
  /** Its text, which no other write has, or `delete`. */
  readonly text: string;
  /** The text that the engine showed before, if that was looked at. */
  readonly before?: unknown;
}

/** Where writes of one transaction were made at the same time: whichever was the last may stand for all of a record. */
interface Told extends ToldWrite {
  readonly instead: readonly string[];
}

export class ToldWrites {
  #told: readonly Told[] = [];
  /** The texts of writes that were taken back. */
  readonly #undone = new Set<string>();
  /** Every mutation that was sent or waits for the user, by its id. */
  readonly #seen = new Map<string, MutationLogEntry>();
  /** In which of the server's feeds it was seen first. */
  readonly #feedOf = new Map<string, number>();
  readonly #decided = new Set<string>();
  readonly #server: HistoryServer;

  constructor(server: HistoryServer) {
    this.#server = server;
  }

  /** The application was told that these are written; `isTogether` if some were made at the same time. */
  tell(writes: readonly ToldWrite[], { isTogether = false } = {}): void {
    const insteadOf = (key: string) => ['delete', ...writes.filter((one) => one.key === key).map(({ text }) => text)];
    this.#told = [
      ...this.#told,
      ...writes.map((write) => ({ ...write, instead: isTogether ? insteadOf(write.key) : [] })),
    ];
  }

  /** The application has taken back a write before its commit. */
  undo(text: string): void {
    this.#undone.add(text);
  }

  /** The user has decided what becomes of it. */
  decide({ id }: MutationLogEntry): void {
    this.#decided.add(id);
  }

  see(mutation: MutationLogEntry): void {
    const known = this.#seen.get(mutation.id);
    if (known) expect(contentOf(mutation), 'a mutation is the same each time').toEqual(contentOf(known));
    else this.#feedOf.set(mutation.id, this.#server.feeds);
    this.#seen.set(mutation.id, known ?? mutation);
  }

  /** The server is about to lose what it has applied. */
  lose(): void {
    const lost = new Set([...this.#seen.values()].filter((one) => this.#isApplied(one)).map(signOf));
    this.#told = this.#told.filter(({ key, text }) => !lost.has(`${key} ${text}`));
  }

  /** Call it when nothing is pending: each write has reached the server, or waits for the user. */
  check(waiting: readonly MutationLogEntry[]): void {
    for (const mutation of waiting) this.see(mutation);
    const bySign = new Map<string, readonly MutationLogEntry[]>();
    for (const mutation of this.#seen.values())
      bySign.set(signOf(mutation), [...(bySign.get(signOf(mutation)) ?? []), mutation]);
    for (const told of this.#told) this.#checkTold(told, bySign);
    for (const { data } of this.#seen.values())
      expect(this.#undone.has(String(data?.text)), `${data?.text} was undone`).toBe(false);
    this.#checkWaiting(new Set(waiting.map(({ id }) => id)));
  }

  #checkTold({ key, text, before, instead }: Told, bySign: ReadonlyMap<string, readonly MutationLogEntry[]>): void {
    const sent = bySign.get(`${key} ${text}`) ?? [];
    const isThere = sent.length > 0 || instead.some((other) => bySign.has(`${key} ${other}`));
    expect(isThere, `${text} of ${key} is recorded`).toBe(true);
    if (text === 'delete' || instead.length > 0) return;
    expect(sent.filter((one) => this.#isApplied(one)).length, `${text} of ${key} is applied once`).toBeLessThan(2);
    const [first] = sent;
    if (!first || before === undefined || this.#feedOf.get(first.id) !== this.#server.feeds) return;
    const based = this.#server.textAt.get(`${key} ${first.baseVersion}`);
    // On top of its own earlier changes a device bases a change on what the server had before those.
    if (based === undefined || bySign.has(`${key} ${before}`)) return;
    expect(based, `${text} of ${key} is based on what was shown`).toBe(before);
  }

  #checkWaiting(waiting: ReadonlySet<string>): void {
    for (const [id, result] of this.#server.outcomes) {
      const isRefused = result.status === 'rejected' && result.retryable !== true;
      const isLeft = isRefused || (result.status === 'conflict' && this.#server.isDecidedByUsers);
      if (isLeft) expect(waiting.has(id) || this.#decided.has(id), `${id} waits for the user`).toBe(true);
    }
  }

  #isApplied({ id }: MutationLogEntry): boolean {
    return this.#server.outcomes.get(id)?.status === 'applied';
  }
}

function contentOf({ objectName, recordId, operation, data }: MutationLogEntry) {
  return { objectName, recordId, operation, data };
}

function signOf({ operation, data, ...ref }: MutationLogEntry): string {
  return `${recordKey(ref)} ${operation === 'delete' ? 'delete' : data?.text}`;
}
