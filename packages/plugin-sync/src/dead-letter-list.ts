/** Mutations the server refused for good, or that failed too often. Nothing is deleted unless the user says so. */
import { isRetryable, type MutationLogEntry } from '@objectql/sync-types';
import type { UserListParts } from './conflict-list.js';
import type { DeadLetter } from './storage/client-storage.js';
import { WaitingList } from './waiting-list.js';

export class DeadLetterList {
  readonly #parts: UserListParts;
  readonly #waiting: WaitingList<DeadLetter>;
  readonly #objectName: string | undefined;

  constructor(parts: UserListParts, view?: { readonly waiting: WaitingList<DeadLetter>; readonly objectName: string }) {
    this.#parts = parts;
    this.#waiting = view?.waiting ?? new WaitingList('dead letter', parts.onListenerFailed);
    this.#objectName = view?.objectName;
  }

  /** The same list, with the dead letters of one object only. */
  of(objectName: string): DeadLetterList {
    return new DeadLetterList(this.#parts, { waiting: this.#waiting, objectName });
  }

  get size(): number {
    return this.#objectName === undefined ? this.#waiting.size : this.list().length;
  }

  /** The dead letters, the longest dead first. */
  list(): readonly DeadLetter[] {
    return this.#own(this.#waiting.list());
  }

  find(id: string): DeadLetter | undefined {
    return this.#waiting.find(id);
  }

  /** Calls `listener` with the dead letters now and whenever they change. Returns what stops it. */
  subscribe(listener: (deadLetters: readonly DeadLetter[]) => void): () => void {
    return this.#waiting.subscribe((all) => listener(this.#own(all)));
  }

  /**
   * Sends a dead letter once more. One that failed too often keeps its id, because the server may have applied it after
   * all; one that was refused gets a new id, because a refusal is final for the old one. Durable when it resolves.
   */
  async retry(id: string): Promise<MutationLogEntry> {
    const { log, onRecorded } = this.#parts;
    const mutation = await this.#waiting.decide(id, async ({ mutation: input, code }) => {
      const newEntry = { input, round: 0, ...(isRetryable(code) ? { id } : {}) };
      const recheck = () => this.#waiting.recheck(id);
      const [entry] = await log.commit({ batch: { removeDeadLetters: [id] }, newEntries: [newEntry], recheck });
      if (!entry) throw new Error('The log made no entry of the one it was given.');
      return entry.mutation;
    });
    onRecorded(mutation);
    return mutation;
  }

  /** Gives a dead letter up for good. Durable when it resolves. */
  async discard(id: string): Promise<void> {
    const { log, onChanged } = this.#parts;
    const recheck = () => this.#waiting.recheck(id);
    await this.#waiting.decide(id, () => log.commit({ batch: { removeDeadLetters: [id] }, recheck }));
    onChanged();
  }

  /** The dead letters as JSON text, to be kept or sent to support. */
  export(): string {
    return JSON.stringify(this.list(), null, 2);
  }

  /** Takes over dead letters that have become durable. */
  put(deadLetters: readonly DeadLetter[]): void {
    this.#waiting.put(deadLetters);
  }

  /** Takes over all dead letters there are, after somebody else has changed them. */
  replace(deadLetters: readonly DeadLetter[]): void {
    this.#waiting.replace(deadLetters);
  }

  #own(all: readonly DeadLetter[]): readonly DeadLetter[] {
    return this.#objectName === undefined
      ? all
      : all.filter(({ mutation }) => mutation.objectName === this.#objectName);
  }
}
