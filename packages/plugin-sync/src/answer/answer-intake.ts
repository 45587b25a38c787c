/** Takes in answers: makes each durable, then tells everybody what it brought. */

import type { OnConflict } from '../conflicts/conflict-resolver.js';
import type { Answered } from '../cycle/exchange.js';
import type { Listeners } from '../listeners/listeners.js';
import type { ClientLog } from '../log/client-log.js';
import type { ObjectConfigs } from '../object-configs.js';
import type { Platform } from '../platform/platform.js';
import type { LocalRecords } from '../records/local-records.js';
import type { Changed } from '../records/record-watch.js';
import type { ClientStorage, StoredEntry } from '../storage/client-storage.js';
import type { ConflictList } from '../waiting/conflict-list.js';
import type { DeadLetterList } from '../waiting/dead-letter-list.js';
import type { MutationOutcome } from './mutation-outcome.js';
import type { AnswerPlan } from './plan-answer.js';
import { RecordHolds } from './record-holds.js';
import { Settlements } from './settlements.js';
import { storeAnswer } from './store-answer.js';

export interface IntakeParts {
  readonly log: ClientLog;
  readonly storage: ClientStorage;
  readonly platform: Platform;
  readonly configs: ObjectConfigs;
  readonly listeners: Listeners;
  readonly records: LocalRecords;
  readonly conflicts: ConflictList;
  readonly deadLetters: DeadLetterList;
  readonly onConflict: OnConflict | undefined;
  /** Called when anything a status shows has changed. */
  readonly onChanged: () => void;
  readonly onSettled?: ((id: string, outcome: MutationOutcome) => void) | undefined;
}

export class AnswerIntake {
  /** How far the device's clock is ahead of the server's; `null` before the first answer. */
  clockSkewMs: number | null = null;
  /** How many changes a sync of several pages has brought so far; `null` outside of one. */
  progress: { readonly received: number } | null = null;
  readonly #parts: IntakeParts;
  readonly #holds: RecordHolds;
  readonly #settlements: Settlements;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    this.#holds = new RecordHolds(parts.platform);
    this.#settlements = new Settlements(parts.onSettled);
  }

  /** Records whose next try must wait. */
  get holds(): Pick<RecordHolds, 'heldNow' | 'nextExpiry'> {
    return this.#holds;
  }

  /**
   * Stores an answer and tells about it. Rejects, with nothing stored or told, when the storage or a listener fails.
   */
  async take(answered: Answered): Promise<AnswerPlan> {
    const plan = await storeAnswer(answered, { ...this.#parts, othersPassed: (id) => this.#holds.othersPassed(id) });
    this.#announce(answered, plan);
    return plan;
  }

  /** Rejects a mutation that was too large for any request, even alone: for good, or to be tried again. */
  async refuseLarge(entry: StoredEntry, { retryable }: { readonly retryable: boolean }): Promise<void> {
    const reason = 'The mutation is too large for the server.';
    await this.#takeOwn([entry], { results: [{ status: 'rejected', code: 'TOO_LARGE', reason, retryable }] });
  }

  /** Lets others go first until it is settled: the mutation's record waits, longer with each time. */
  putOff(entry: StoredEntry): void {
    this.#holds.hold([{ entry, retryAfterMs: undefined, isPutOff: true }]);
  }

  /** Forgets the checkpoint and with it every version: the server does not know them. */
  async restartFeed(): Promise<void> {
    await this.#takeOwn([], { results: [], checkpoint: null, reset: 'epoch' });
  }

  /** Reads the storage again after somebody else has changed it. */
  async reload(): Promise<void> {
    await this.#parts.log.reload();
    this.tellReread();
  }

  /** Tells everybody that the log was read again. `changed` names the records that changed, as far as known. */
  tellReread(changed: Changed = 'all'): void {
    const { records, onChanged } = this.#parts;
    this.conclude();
    records.changed(changed);
    onChanged();
  }

  /**
   * Resolves with the outcome of a mutation once it is settled; at once when it is, waits for the user, or never will
   * be.
   */
  async outcomeOf(id: string): Promise<MutationOutcome> {
    const outcome = this.#settlements.wait(id);
    this.conclude([id]);
    return outcome;
  }

  /** Tells those who wait for these mutations how they ended, unless they are still pending; default: all. */
  conclude(ids = this.#settlements.awaited()): void {
    const { log, conflicts, deadLetters } = this.#parts;
    const settlements = this.#settlements;
    for (const id of ids) {
      const parked = conflicts.find(id);
      const dead = deadLetters.find(id);
      if (parked) settlements.tell(id, { status: 'conflict', ...parked });
      else if (dead) settlements.tell(id, { status: 'rejected', code: dead.code, reason: dead.reason });
      else if (settlements.isOver || !(settlements.isReplaced(id) || log.pending.get(id)))
        settlements.tell(id, settlements.recall(id));
    }
  }

  /** Takes over an outcome that another tab has stored. */
  learn(id: string, outcome: MutationOutcome): void {
    this.#settlements.settle(id, outcome);
  }

  /** Nothing more will be settled. */
  close(): void {
    this.#settlements.isOver = true;
    this.conclude();
  }

  /** Takes in an answer that the client gives itself; it brings no change and ends no walk. */
  async #takeOwn(
    sent: readonly StoredEntry[],
    own: Pick<Answered['answer'], 'results'> & Partial<Answered['answer']>,
  ): Promise<void> {
    const { checkpoint } = this.#parts.log.meta;
    const answer = { checkpoint, ...own, serverChanges: [], hasMore: true };
    await this.take({ sent, answer, checkpoint, clockSkewMs: null });
  }

  #announce({ sent, answer, clockSkewMs }: Answered, { outcomes, touched }: AnswerPlan): void {
    const { listeners, records, onChanged } = this.#parts;
    this.clockSkewMs = clockSkewMs ?? this.clockSkewMs;
    const came = answer.serverChanges.length;
    if ((answer.hasMore && came > 0) || this.progress) {
      this.progress = { received: (this.progress?.received ?? 0) + came };
    }
    const { settled, holds, met, dropped } = outcomes;
    this.#holds.release(sent, settled);
    this.#holds.hold(holds);
    for (const [id, outcome] of settled) {
      if ('successor' in outcome) this.#settlements.replace(id, outcome.successor, outcome.droppedFields);
      else this.#settlements.settle(id, outcome);
    }
    records.changed(touched);
    listeners.tell('onConflict', met);
    listeners.tell('onDropped', dropped);
    onChanged();
  }
}
