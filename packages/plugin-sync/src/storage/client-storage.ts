/**
 * The port behind which a client keeps its log, its records and what waits for the user.
 * Every implementation passes `storage.contract.ts` on its real engine.
 */
import type { JsonObject, MutationLogEntry, RecordRef, SyncConflict, ToldRejectionCode } from '@objectql/sync-types';

/** What a client knows about itself and its checkpoint. */
export interface ClientMeta {
  /** Random, made with the log. */
  readonly logId: string;
  /** The sequence the next appended entry gets. */
  readonly nextSequence: number;
  /** The checkpoint whose changes are all stored; `null` before the first answer. */
  readonly checkpoint: string | null;
  /**
   * Set while the feed is walked from its start after a reset; records that the walk did not see are dropped at its
   * end.
   */
  readonly walk: string | null;
  /** Whose work this is, if the app says; another user's pending work is never sent as this user's. */
  readonly user: string | null;
  /** How often the bases of pending entries were forgotten, because the feed was a new one. */
  readonly epochs: number;
  /** Counts the batches of logs, so that a writer notices when another came first. */
  readonly revision: number;
}

/** A log entry and what the client keeps beside it; only `mutation` is sent. */
export interface StoredEntry {
  readonly mutation: MutationLogEntry;
  /** How many automatic conflict resolutions lead to this entry; 0 for the user's own. */
  readonly round: number;
  /** How often the server rejected it as retryable while other mutations passed. */
  readonly tries: number;
  /** The record as it was when the server deleted it under this entry; it can be re-created from this copy. */
  readonly copy?: JsonObject;
}

/** A record as the server last told it; tombstones are not kept. */
export interface BaseRecord extends RecordRef {
  readonly version: number;
  readonly data: JsonObject;
  /** The walk that saw it last; `null` outside of one. */
  readonly walk: string | null;
}

/** A conflict that waits for the user's decision. */
export interface ParkedConflict {
  /** The id of the mutation that met it. */
  readonly id: string;
  readonly conflict: SyncConflict;
  /** Epoch milliseconds. */
  readonly parkedAt: number;
  /** The record as the user saw it, if the server has deleted it; the user's choice re-creates it from this copy. */
  readonly copy?: JsonObject;
}

/** A mutation the server refused for good, or that failed too often; kept until the user decides. */
export interface DeadLetter {
  /** The id of the mutation. */
  readonly id: string;
  readonly mutation: MutationLogEntry;
  readonly code: ToldRejectionCode;
  readonly reason: string;
  /** Epoch milliseconds. */
  readonly deadAt: number;
}

/** Everything but the records. */
export interface ClientState {
  /** `null` in a storage that was never written. */
  readonly meta: ClientMeta | null;
  /** In the order of their sequence. */
  readonly entries: readonly StoredEntry[];
  /** The longest parked first. */
  readonly conflicts: readonly ParkedConflict[];
  /** The longest dead first. */
  readonly deadLetters: readonly DeadLetter[];
}

/**
 * Changes that become durable together or not at all. Removals come first, then puts, then the sweep; of two puts of one
 * key the last counts. Holds JSON only: a property whose value is `undefined` counts as absent.
 */
export interface StorageBatch {
  /** Refuse the whole batch with `CheckpointMovedError` unless this is the stored checkpoint. */
  readonly expectCheckpoint?: string | null;
  /** Refuse the whole batch with `RevisionMovedError` unless this is the stored revision; 0 if nothing is stored. */
  readonly expectRevision?: number;
  readonly meta?: ClientMeta;
  /** Inserts or replaces by `mutation.id`. */
  readonly putEntries?: readonly StoredEntry[];
  /** Ids of entries to remove, never a range. */
  readonly removeEntries?: readonly string[];
  readonly putRecords?: readonly BaseRecord[];
  readonly removeRecords?: readonly RecordRef[];
  /** Removes every record that this walk did not see. */
  readonly sweepWalk?: string;
  readonly putConflicts?: readonly ParkedConflict[];
  readonly removeConflicts?: readonly string[];
  readonly putDeadLetters?: readonly DeadLetter[];
  readonly removeDeadLetters?: readonly string[];
}

/**
 * One client's durable state. Input is copied before the call returns, and output is the caller's own or frozen:
 * changing either changes nothing here. Failures are `StorageError`s; after one, nothing of the failed batch counts
 * until the storage is loaded again, which may show that an unanswered write was made.
 */
export interface ClientStorage {
  /** Set if clients of several tabs may have the same state open at once: names that state. */
  readonly sharedName?: string;
  /**
   * Calls `listener` when the stored state was taken away under this storage, as by a deletion or a newer version of
   * the app in another tab, if the storage can notice that. The next write shows what became of it.
   */
  onLost?(listener: () => void): void;
  /**
   * Opens the storage and reads what a client needs to start. Costs what is pending, not what is stored. May be called
   * again to read the present state.
   */
  load(): Promise<ClientState>;
  /**
   * Makes all of the batch durable, or nothing. Removing what is absent changes nothing. Batches committed together are
   * applied in the order of the calls. A power cut, but no crash of the process, may lose a batch that changes only
   * records and the checkpoint, and then also everything committed after it: the server tells it again.
   */
  commit(batch: StorageBatch): Promise<void>;
  /** The records in the order asked for, `undefined` if there is none. */
  getRecords(refs: readonly RecordRef[]): Promise<readonly (BaseRecord | undefined)[]>;
  /** All records of an object, in no particular order. */
  listRecords(objectName: string): Promise<readonly BaseRecord[]>;
  /** Finishes writes under way and releases the engine. May be called again; every other call then fails as `CLOSED`. */
  close(): Promise<void>;
}

/**
 * Another writer came first, or this very batch, if its storage did not hear so and asked again: nothing was stored now,
 * and nothing has failed.
 */
export abstract class MovedError extends Error {
  constructor() {
    super('Another writer came first: nothing was stored. Load the storage and make the batch anew.');
  }
}

/** Another tab or a reset moved the checkpoint since the request was made: its answer must not be stored. */
export class CheckpointMovedError extends MovedError {
  override readonly name = 'CheckpointMovedError';
}

/** Another tab or process stored something since the state was read: read it again and rebuild the batch. */
export class RevisionMovedError extends MovedError {
  override readonly name = 'RevisionMovedError';
}
