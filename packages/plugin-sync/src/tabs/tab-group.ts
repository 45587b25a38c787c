/**
 * How a client shares its storage with the clients of other tabs. The implementation in `tabs/` is loaded only on
 * demand.
 */
import type { SyncPushResponse } from '@objectql/sync-types';
import type { AnswerIntake } from '../answer/answer-intake.js';
import type { MutationOutcome } from '../answer/mutation-outcome.js';
import type { SyncEvent, SyncState } from '../cycle/sync-state.js';
import type { Listeners } from '../listeners/listeners.js';
import type { ClientLog } from '../log/client-log.js';
import type { Platform } from '../platform/platform.js';
import type { ClientStorage } from '../storage/client-storage.js';
import type { SyncFacts } from '../sync-status.js';

/** What decides when to sync: the client's own driver, or the one all tabs share. */
export interface Driver {
  readonly state: SyncState;
  request(): Promise<SyncPushResponse | null>;
  dispatch(event: SyncEvent): void;
  close(): Promise<void>;
}

/** Joins a client to those of other tabs on the same storage; `undefined` where tabs cannot hear each other. */
export interface Tabs {
  join(parts: { readonly storage: ClientStorage; readonly platform: Platform }): TabGroup | undefined;
}

/** The tabs as one of them sees them. */
export interface TabGroup {
  /** The storage to use: the others hear what is written to it. */
  readonly storage: ClientStorage;
  /** Takes the client in. Its own driver syncs while this tab leads; the returned driver stands for all tabs. */
  drive(member: TabMember): Driver;
  /** What is known of sync in all tabs. */
  facts(own: SyncFacts): SyncFacts;
  /** The outcome of a mutation of any tab. */
  outcomeOf(id: string): Promise<MutationOutcome>;
  /** Anything a status shows has changed here. */
  changed(): void;
  /** A mutation is settled here. */
  tellSettled(id: string, outcome: MutationOutcome): void;
  /** Lets another tab lead. */
  leave(): void;
}

/** A client as its tabs see it. */
export interface TabMember {
  readonly driver: Driver;
  readonly log: ClientLog;
  readonly listeners: Listeners;
  readonly facts: () => SyncFacts;
  /** Knows the outcomes, learns those of other tabs, and takes in what the log has read again. */
  readonly intake: Pick<AnswerIntake, 'outcomeOf' | 'learn' | 'tellReread'>;
  /** Schedules what is pending. */
  readonly schedule: () => void;
  /** Anything a status shows has changed. */
  readonly onChanged: () => void;
}
