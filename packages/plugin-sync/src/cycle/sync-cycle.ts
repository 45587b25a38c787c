/**
 * What one sync does: pushes and pulls until nothing is left of what it was asked for.
 *
 *   flush the log ─▶ select a batch ─▶ exchange it ─▶ store the answer ─▶ tell everybody ─┐
 *        ▲                                 │ refused as a whole: repair                   │
 *        └─────────────────────────────────┴──────────── more to send, or more to pull ◀──┘
 *
 * While the server works on one batch, the next is made ready. If the answer cannot change what to ask next, that batch
 * goes out as soon as the answer is announced, or else when it is read, before it is stored. Mutations are never under way
 * twice, and an answer is stored after the one before it, or not at all.
 */
import type { SyncPushResponse } from '@objectql/sync-types';
import type { AnswerIntake } from '../answer/answer-intake.js';
import type { Turn } from '../answer/record-holds.js';
import { isEpochWalk } from '../answer/walk.js';
import { callContained } from '../listeners/call-contained.js';
import type { Listeners } from '../listeners/listeners.js';
import type { ClientLog } from '../log/client-log.js';
import type { ObjectConfigs } from '../object-configs.js';
import { CheckpointMovedError, type StoredEntry } from '../storage/client-storage.js';
import { SyncUsageError } from '../sync-usage-error.js';
import { failureOf, TransportError } from '../transport/transport.js';
import { type Ask, type Exchange, type Exchanged, mayPassInParts } from './exchange.js';
import { FailuresAlone } from './failures-alone.js';
import { isPlain, OpenRequest } from './open-request.js';
import { selectBatch } from './select-batch.js';
import type { SyncEvent } from './sync-state.js';
import { WholeAnswer } from './whole-answer.js';

export interface CycleParts {
  readonly log: ClientLog;
  readonly exchange: Exchange;
  readonly intake: AnswerIntake;
  readonly configs: ObjectConfigs;
  readonly listeners: Listeners;
}

/** 3: a server that refuses every repaired request must not be asked in a loop. */
const MAX_REPAIRS = 3;
/** 10: a mutation too large for a proxy must not keep the rest waiting, but the proxy may refuse whatever comes. */
const MAX_REFUSALS = 10;

export class SyncCycle {
  /**
   * True once the sync under way has settled a mutation, put one off or stored a page, but not once its repairs are used
   * up: a feed that starts over again and again never runs out.
   */
  hasAdvanced = false;
  readonly failuresAlone = new FailuresAlone();
  readonly #parts: CycleParts;
  /** The last sequence that belongs to the sync under way. */
  #goal = 0;
  /** True when somebody asked for a sync after the last request was made. */
  #isAskedAnew = false;
  /** True from a failure until a sync ends well. On a slow line, two pages at once may each take too long. */
  #hasFailed = false;
  /** The failures of mutations that found no way through in this sync; those mutations wait. */
  #refusals: unknown[] = [];
  /** True once the sync under way has got an answer. */
  #isAnswered = false;

  constructor(parts: CycleParts) {
    this.#parts = parts;
  }

  /** Makes everything recorded so far, and what the server has by now, part of the sync under way, or of the next. */
  include(): void {
    this.#goal = this.#parts.log.meta.nextSequence - 1;
    this.#isAskedAnew = true;
  }

  /** True while something that belongs to the sync is left to do. */
  hasWork(): boolean {
    return this.#isWanted(this.#firstSendable()) || (this.#isAskedAnew && this.#parts.configs.isPulling);
  }

  /** When to send what is left: after the debounce of the first unsent mutation, if any, and when the first hold ends. */
  unsent(): Pick<Extract<SyncEvent, { readonly type: 'drained' }>, 'unsentDebounceMs' | 'heldUntil'> {
    const { configs, intake } = this.#parts;
    const next = this.#firstSendable();
    const unsentDebounceMs = next ? configs.of(next.mutation.objectName).debounceMs : null;
    return { unsentDebounceMs, heldUntil: intake.holds.nextExpiry() };
  }

  /** The oldest pending mutation whose record is not on hold. */
  #firstSendable(): StoredEntry | undefined {
    const { log, intake } = this.#parts;
    const isHeld = intake.holds.heldNow('last');
    for (const entry of log.pending) if (!isHeld(entry.mutation)) return entry;
    return undefined;
  }

  /**
   * Resolves with the whole answer, or `null` when there was nothing to ask. Rejects with what cannot be repaired at
   * once.
   */
  run(signal: AbortSignal): Promise<SyncPushResponse | null> {
    return this.#run(signal).finally(() => {
      this.#parts.intake.progress = null;
    });
  }

  async #run(signal: AbortSignal): Promise<SyncPushResponse | null> {
    const { log, listeners } = this.#parts;
    await log.load();
    this.include();
    if (!this.hasWork()) return null;
    listeners.tell('onSyncStart', undefined);
    const whole = new WholeAnswer();
    this.#refusals = [];
    this.#isAnswered = false;
    this.hasAdvanced = false;
    let repairs = 0;
    let next: OpenRequest | undefined;
    for (let isDone = false; !isDone; ) {
      // The abort's reason is not used: not every platform's signal has one.
      if (signal.aborted) return null;
      const current: OpenRequest = next ?? (await this.#ask(signal));
      next = undefined;
      try {
        this.#prepareBehind(current);
        const exchanged = await current.read((checkpoint) => this.#askEarly(current, checkpoint, signal));
        this.#isAnswered = true;
        next = current.behind ?? this.#askAhead(exchanged, signal);
        await this.#store(exchanged);
        const { answer } = exchanged;
        whole.add(answer);
        isDone = !next && !answer.hasMore && !this.hasWork();
        // A feed that starts over with every answer never ends.
        if (answer.reset && ++repairs > MAX_REPAIRS) throw unusable('The server starts its feed over again and again.');
      } catch (error) {
        this.#hasFailed = true;
        // What was asked behind an answer that is not stored is of no use. Its end is awaited: mutations must not be
        // under way twice.
        await next?.end();
        next = undefined;
        const isCounted = await this.#repair(error, { batch: current.sent, isLast: repairs >= MAX_REPAIRS });
        if (isCounted) repairs += 1;
      }
    }
    this.#hasFailed = false;
    // Everything else has passed; the refusals must be seen all the same.
    if (this.#refusals.length > 0) throw this.#refusals[0];
    return whole.get();
  }

  /** Asks for what comes next. */
  async #ask(signal: AbortSignal): Promise<OpenRequest> {
    const { log } = this.#parts;
    const unsaved = await log.flush().catch((error: unknown) => ({ error }));
    const sent = this.#select();
    // If the storage has no room for a new mutation, the stored ones are sent all the same: that makes room.
    if (unsaved && (sent.length === 0 || unsaved.error instanceof SyncUsageError)) throw unsaved.error;
    this.#isAskedAnew = false;
    return this.#start({ sent, checkpoint: log.meta.checkpoint }, signal);
  }

  /** Asks for what comes after an answer that is announced to end at this checkpoint, before it is there. */
  #askEarly({ sent }: Ask, checkpoint: string, signal: AbortSignal): OpenRequest | undefined {
    // An answer without results is announced only when there is more behind it.
    return this.#hasFailed ? undefined : this.#askBehind({ sent, checkpoint, hasMore: sent.length === 0 }, signal);
  }

  /** Asks for what comes after an answer that is not stored yet, unless the answer decides what to ask. */
  #askAhead({ sent, answer, checkpoint }: Exchanged, signal: AbortSignal): OpenRequest | undefined {
    if (!isPlain(answer) || (sent.length === 0 && answer.checkpoint === checkpoint)) return undefined;
    const next = this.#askBehind({ ...answer, sent }, signal);
    if (next) this.#isAskedAnew = false;
    return next;
  }

  /** Asks for what comes after an answer that ends at this checkpoint and settles all that was sent. */
  #askBehind({ sent, checkpoint, hasMore }: Behind, signal: AbortSignal): OpenRequest | undefined {
    const next = this.#select(sent);
    if (!hasMore && !this.#isWanted(next[0])) return undefined;
    return this.#start({ sent: next, checkpoint }, signal);
  }

  /** True for an entry that belongs to the sync under way. */
  #isWanted(first: StoredEntry | undefined): boolean {
    return first !== undefined && first.mutation.sequence <= this.#goal;
  }

  /** Has the next batch made ready while the server works on the one before it. */
  #prepareBehind({ sent }: Ask): void {
    const { exchange, listeners } = this.#parts;
    const next = this.#select(sent);
    // A failure to prepare is no reason to give up the request under way.
    callContained(() => this.#isWanted(next[0]) && exchange.prepare(next), listeners.report);
  }

  #start(ask: Ask, signal: AbortSignal): OpenRequest {
    return new OpenRequest(ask, (options) => this.#parts.exchange.run(ask, { ...options, signal }));
  }

  /** Stores what an exchange has brought. */
  async #store(exchanged: Exchanged): Promise<void> {
    const { log, exchange, intake } = this.#parts;
    // Another write may have given an entry a copy of its record meanwhile.
    const sent = exchanged.sent.map((entry) => log.pending.get(entry.mutation.id, entry.mutation.sequence) ?? entry);
    const { outcomes } = await intake.take({ ...exchanged, sent });
    this.failuresAlone.forget(sent);
    if (outcomes.isBatchTooLarge) exchange.shrink(sent.length);
    // The mutation that resolves a conflict belongs to the sync that met the conflict.
    if (outcomes.newEntries.length > 0) this.include();
    const { answer, checkpoint } = exchanged;
    const hasAdvanced = answer.checkpoint !== checkpoint || outcomes.settled.size > 0;
    this.hasAdvanced ||= hasAdvanced;
    if (answer.hasMore && !hasAdvanced && outcomes.holds.length === 0) {
      throw unusable('The server promises more but stays where it is.');
    }
  }

  /** The next batch, as if what was `sent` were settled. */
  #select(sent: readonly StoredEntry[] = []): readonly StoredEntry[] {
    const { log, exchange, intake, configs } = this.#parts;
    // Until the walk has shown what the new feed holds, nothing can be computed on top of it.
    if (isEpochWalk(log.meta.walk)) return [];
    const select = (turn: Turn) =>
      selectBatch(log.pending.durable(), {
        answered: new Set(sent.map(({ mutation }) => mutation.id)),
        isHeld: intake.holds.heldNow(turn),
        batchSizeOf: (objectName) => configs.of(objectName).batchSize,
        ...exchange.limits,
      });
    const inOrder = select('first');
    // What was put off goes behind all else that belongs to the sync: there may be more of it than one sync can try.
    const batch = this.#isWanted(inOrder[0]) ? inOrder : select('last');
    const [first] = batch;
    if (!first || !this.failuresAlone.isSuspect(first.mutation.id)) return batch;
    // It goes alone, and not before a request without mutations has shown that others get through.
    return this.#isAnswered ? [first] : [];
  }

  /**
   * Repairs what was wrong with the request, or throws the error on. Returns false for a repair that ends by itself and
   * is not counted.
   */
  async #repair(
    error: unknown,
    { batch, isLast }: { batch: readonly StoredEntry[]; isLast: boolean },
  ): Promise<boolean> {
    const { log, intake } = this.#parts;
    const { code, status } = failureOf(error);
    if (code === 'TOO_LARGE' || status === 413) {
      // Without the code it comes from a proxy, which knows no mutations.
      await this.#sendLess(batch, { error, retryable: code !== 'TOO_LARGE' });
      return false;
    }
    if (isLast) {
      this.hasAdvanced = false;
      throw error;
    }
    // Somebody else stored an answer first: the next request starts from where that one ended.
    if (error instanceof CheckpointMovedError) await intake.reload();
    // The device was cloned or restored.
    else if (code === 'LOG_FORKED') await log.startNewLog();
    // This server does not know the checkpoint.
    else if (code === 'INVALID_CHECKPOINT') await intake.restartFeed();
    else this.#putOff(batch, error);
    return true;
  }

  /** Throws the error on, unless one mutation alone got no answer again and again: then others go first. */
  #putOff([first, ...others]: readonly StoredEntry[], error: unknown): void {
    if (!first || others.length > 0 || !mayPassInParts(error)) throw error;
    const surplus = this.failuresAlone.add(first.mutation.id, error);
    if (surplus <= 0) throw error;
    this.#parts.intake.putOff(first);
    // It went last already.
    if (surplus > 1) throw error;
    // The next one must not wait as long as this one has.
    this.hasAdvanced = true;
    this.#refusals.push(error);
  }

  async #sendLess(
    [first, ...others]: readonly StoredEntry[],
    { error, retryable }: { error: unknown; retryable: boolean },
  ): Promise<void> {
    if (!first) throw error;
    if (others.length > 0) return this.#parts.exchange.shrink(1 + others.length);
    // A proxy may refuse everything: that counts against a mutation only while others pass.
    await this.#parts.intake.refuseLarge(first, { retryable });
    if (retryable && this.#refusals.push(error) >= MAX_REFUSALS) throw error;
  }
}

/** An answer to ask behind: what it answers, where it ends, and whether more is there. */
type Behind = Ask & Pick<SyncPushResponse, 'hasMore'>;

function unusable(problem: string): TransportError {
  return new TransportError(`${problem} Sync is tried again later.`, { type: 'unreadable' });
}
