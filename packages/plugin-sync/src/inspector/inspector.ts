/** Looks into a client from outside: it reads what the client offers, and watches the transport's requests. */
import { jsonEquals, type RecordRef } from '@objectql/sync-types';
import { callContained } from '../listeners/call-contained.js';
import { LiveValue } from '../observe/live-value.js';
import { systemPlatform } from '../platform/system-platform.js';
import type { DeadLetter, ParkedConflict, StoredEntry } from '../storage/client-storage.js';
import type { SyncPlugin } from '../sync-plugin.js';
import type { SyncStatus } from '../sync-status.js';
import type { SyncTransport } from '../transport/transport.js';
import { type Explanation, explainRecord, type InspectedEntry } from './explain-record.js';
import type { RecordedOutcome, RecordedRequest } from './recorded-request.js';
import { RequestRecorder } from './request-recorder.js';

/** How much an inspector remembers. */
export interface InspectorOptions {
  /** How many requests, outcomes and log entries are shown. Default 50. */
  readonly keep?: number | undefined;
  /** The clock requests are measured by, in epoch milliseconds. Default: the system's. */
  readonly now?: (() => number) | undefined;
}

/** What the inspector shows, at one moment. */
export interface Inspection {
  readonly clientId: string;
  readonly logId: string;
  readonly user: string | null;
  /** The checkpoint: everything before it is stored here. */
  readonly checkpoint: string | null;
  /** Set while all records are received anew. */
  readonly walk: string | null;
  readonly status: SyncStatus;
  /** The oldest log entries, which are sent first; the status counts all of them. */
  readonly log: readonly InspectedEntry[];
  /** The newest first. */
  readonly outcomes: readonly RecordedOutcome[];
  /** The newest first. */
  readonly requests: readonly RecordedRequest[];
  readonly conflicts: readonly ParkedConflict[];
  readonly deadLetters: readonly DeadLetter[];
}

/** 50: as many as a person looks through. */
const KEEP = 50;

/**
 * Shows what a client is doing and why. Requests are recorded from its making on, those of this tab only.
 *
 * ```text
 * const inspector = new Inspector(sync);
 * console.log(await inspector.explain({ objectName: 'task', recordId: 'task-1' }));
 * ```
 */
export class Inspector {
  /** What there is to see now, and whenever it changes. */
  readonly inspection: LiveValue<Inspection>;
  readonly #sync: SyncPlugin;
  readonly #keep: number;
  readonly #recorder: RequestRecorder;
  readonly #unwatched: SyncTransport;
  readonly #watched: SyncTransport;
  #recorded: () => void = () => {};

  constructor(sync: SyncPlugin, { keep = KEEP, now = systemPlatform.now }: InspectorOptions = {}) {
    const { client } = sync;
    this.#sync = sync;
    this.#keep = keep;
    this.#recorder = new RequestRecorder({ now, keep, onChanged: () => this.#recorded() });
    this.#unwatched = client.transport;
    this.#watched = this.#recorder.watch(client.transport);
    client.transport = this.#watched;
    this.inspection = new LiveValue<Inspection>({
      initial: this.#inspect(),
      watch: (tell) => {
        const look = () => tell(this.#inspect());
        this.#recorded = () => callContained(look, client.listeners.report);
        // Also looks at what no status shows, such as a change becoming durable.
        const stop = client.subscribeStatus(look, () => false);
        return () => {
          stop();
          this.#recorded = () => {};
        };
      },
      read: () => this.#inspect(),
      keep: keepParts,
    });
  }

  /** Why a record is as it is: its base, its pending changes, and reasons in words. */
  async explain({ objectName, recordId }: RecordRef): Promise<Explanation> {
    const { client } = this.#sync;
    const isAboutIt = (other: RecordRef) => other.objectName === objectName && other.recordId === recordId;
    const { base, pending } = await client.records.target({ objectName, recordId });
    return explainRecord(
      { objectName, recordId },
      {
        base,
        pending: pending.map((entry) => this.#inspectEntry(entry)),
        conflicts: client.conflicts.list().filter(({ conflict }) => isAboutIt(conflict)),
        deadLetters: client.deadLetters.list().filter(({ mutation }) => isAboutIt(mutation)),
        walk: client.log.meta.walk,
      },
    );
  }

  /** Leaves the client as it was found. */
  close(): void {
    const { client } = this.#sync;
    // If somebody has replaced the transport since, theirs stays.
    if (client.transport === this.#watched) client.transport = this.#unwatched;
  }

  #inspect(): Inspection {
    const { client } = this.#sync;
    const { logId, user, checkpoint, walk } = client.log.meta;
    const log: InspectedEntry[] = [];
    for (const entry of client.log.pending) {
      if (log.length === this.#keep) break;
      log.push(this.#inspectEntry(entry));
    }
    return {
      clientId: client.log.clientId,
      logId,
      user,
      checkpoint,
      walk,
      status: client.status,
      log,
      outcomes: this.#recorder.outcomes,
      requests: this.#recorder.requests,
      conflicts: client.conflicts.list(),
      deadLetters: client.deadLetters.list(),
    };
  }

  #inspectEntry(entry: StoredEntry): InspectedEntry {
    const { id } = entry.mutation;
    const isSending = this.#recorder.requests.some(
      ({ outcome, mutationIds }) => outcome.status === 'under way' && mutationIds.includes(id),
    );
    const isDurable = this.#sync.client.log.pending.isDurable(id);
    const failures = this.#sync.client.failuresAlone(id);
    return {
      ...entry,
      progress: isSending ? 'sending' : isDurable ? 'stored' : 'storing',
      ...(failures && { failedAlone: { count: failures.count, message: messageOf(failures.error) } }),
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Keeps each part that is the same as before; if all are, `before` itself. */
function keepParts(before: Inspection, after: Inspection): Inspection {
  const parts = Object.entries(after).map(([name, part]) => {
    const known: unknown = before[name as keyof Inspection];
    return [name, jsonEquals(known, part) ? known : part] as const;
  });
  const isSame = parts.every(([name, part]) => part === before[name as keyof Inspection]);
  // These are the entries of an `Inspection`.
  return isSame ? before : (Object.fromEntries(parts) as unknown as Inspection);
}
