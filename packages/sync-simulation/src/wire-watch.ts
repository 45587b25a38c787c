/** Watches the wire as a bystander. */
import type {
  JsonObject,
  MutationLogEntry,
  SyncErrorBody,
  SyncPushRequest,
  SyncPushResponse,
} from '@objectql/sync-types';
import { readPlace } from './invariants/checkpoint.js';
import { findLeak } from './invariants/secrecy.js';
import type { Permissions } from './permissions.js';
import { isSame, nameOf } from './record-name.js';
import type { ServerTruth } from './server-truth.js';
import type { TrueRecord } from './true-record.js';
import type { Verdict } from './violation.js';

/** A request and the circumstances of its sending. */
export interface Sent {
  readonly body: SyncPushRequest;
  /** The name of the device. */
  readonly sender: string;
  /** The server's history when it was sent. */
  readonly line: string;
  readonly user: string;
  /** The world's time when it was sent. */
  readonly sentAt: number;
  /** How far the device's clock was ahead then. */
  readonly aheadMs: number;
}

export interface WireWatchParts {
  readonly verdict: Verdict;
  readonly permissions: Permissions;
  readonly now: () => number;
  readonly truth: () => ServerTruth;
  /** When the user made the mutation, by the world's clock, and how far the device's clock was ahead then. */
  readonly madeAt: (mutationId: string) => { readonly at: number; readonly aheadMs: number } | undefined;
  /** True while one device is alone and no reset or prune has lost anything: then nothing may be refused. */
  readonly isAlone: () => boolean;
  /** True for an id that an application has used twice. */
  readonly isReused: (mutationId: string) => boolean;
}

/** The request that brings a mutation to the server. */
export interface Carrier {
  readonly sender: string;
  /** The server's history when it was sent. */
  readonly line: string;
  readonly logId: string | undefined;
  /** All mutations of the request. */
  readonly mutations: readonly MutationLogEntry[];
}

interface Carried {
  /** The request that brought it last. */
  carrier: Carrier;
  /** The highest base with which it was sent, by the history of the request's checkpoint; a first request has none. */
  readonly baseByLine: Map<string, number>;
}

/** What was known when the request came in. */
interface Answering {
  readonly open: Open;
  readonly floorBefore: number;
}

/** A request under way, and the states of records that its sender could read since it came in. */
interface Open {
  readonly user: string;
  /** The server's history when it came in. */
  readonly line: string;
  /** False for a checkpoint from which something is missing in this history. */
  readonly isOfThisFeed: boolean;
  readonly readable: (readonly [string, JsonObject])[];
}

export class WireWatch {
  readonly #parts: WireWatchParts;
  readonly #saidById = new Map<string, MutationLogEntry>();
  readonly #carriedById = new Map<string, Carried>();
  readonly #open = new Set<Open>();
  readonly #conflicted = new Set<string>();
  /** By log: the latest time that any of its mutations may claim, before the time of the commit is added. */
  readonly #claimByLog = new Map<string, { latest: number; sentAt: number }>();
  /** The grants from which a scope was made. */
  readonly #grantsByScope = new Map<string, string>();

  constructor(parts: WireWatchParts) {
    this.#parts = parts;
  }

  /** The mutation as it was sent. */
  said(id: string): MutationLogEntry | undefined {
    return this.#saidById.get(id);
  }

  /** The request that brought the mutation last. */
  carrierOf(id: string): Carrier | undefined {
    return this.#carriedById.get(id)?.carrier;
  }

  /** The mutation's base version when it was sent to the server of that history. */
  baseOf(id: string, line: string): number {
    const bases = this.#carriedById.get(id)?.baseByLine;
    return Math.max(bases?.get(line) ?? 0, bases?.get('') ?? 0);
  }

  metConflict(id: string): boolean {
    return this.#conflicted.has(id);
  }

  /** The grants of a scope; `undefined` if it was never sent. */
  grantsOf(scope: string): string | undefined {
    return this.#grantsByScope.get(scope);
  }

  /** The latest time that a write of this log may claim, given the clocks and the delays of messages. */
  latestTimeOf(logId: string): number {
    const claim = this.#claimByLog.get(logId);
    return claim ? claim.latest + (this.#parts.now() - claim.sentAt) : Number.NEGATIVE_INFINITY;
  }

  /** Sees a request come in; pass what it returns with the answer. */
  request({ body, sender, user, line, sentAt, aheadMs }: Sent): Open {
    const truth = this.#parts.truth();
    const at = readPlace(body.lastCheckpoint);
    const isOfThisFeed = !at || truth.isOfThisFeed(at);
    const of = at ? (isOfThisFeed ? truth.line : 'lost') : '';
    const carrier = { sender, line, logId: body.logId, mutations: body.mutations ?? [] };
    for (const mutation of carrier.mutations) {
      const { id, baseVersion } = mutation;
      const known = this.#saidById.get(id);
      if (known && !saysTheSame(known, mutation)) {
        // It must be refused and change nothing, so that the id keeps its first meaning.
        if (this.#parts.isReused(id)) continue;
        this.#parts.verdict.report('I2', `${sender} sent ${id} with another content than before.`);
      }
      this.#saidById.set(id, mutation);
      const carried = this.#carriedById.get(id) ?? { carrier, baseByLine: new Map() };
      this.#carriedById.set(id, carried);
      carried.carrier = carrier;
      carried.baseByLine.set(of, Math.max(carried.baseByLine.get(of) ?? 0, baseVersion ?? 0));
      const made = this.#parts.madeAt(mutation.id);
      const latest = made ? made.at + Math.max(0, made.aheadMs - aheadMs) : this.#parts.now();
      const claim = this.#claimByLog.get(body.logId ?? '');
      this.#claimByLog.set(body.logId ?? '', {
        latest: Math.max(claim?.latest ?? Number.NEGATIVE_INFINITY, latest),
        sentAt: Math.min(claim?.sentAt ?? Number.POSITIVE_INFINITY, sentAt),
      });
    }
    const open: Open = { user, line: truth.line, isOfThisFeed, readable: [] };
    if (this.#parts.permissions.isEnabled) {
      for (const [name, record] of truth.records) this.#noteReadable(open, name, record);
      this.#open.add(open);
    }
    return open;
  }

  /** Sees a record take a new state. */
  committed(name: string, record: TrueRecord): void {
    for (const open of this.#open) this.#noteReadable(open, name, record);
  }

  #noteReadable({ user, readable }: Open, name: string, { objectName, data }: TrueRecord): void {
    const view = data && this.#parts.permissions.viewOf(user, objectName, data);
    if (view) readable.push([name, view]);
  }

  answer(sent: Sent, answer: SyncPushResponse | SyncErrorBody, { open, floorBefore }: Answering): void {
    this.#open.delete(open);
    const { verdict, permissions, isAlone } = this.#parts;
    const truth = this.#parts.truth();
    const wasReadable = (name: string, value: string) =>
      open.readable.some(([of, data]) => of === name && Object.values(data).includes(value));
    const leak = findLeak({ answer, user: sent.user, request: sent.body, wasReadable }, truth, permissions);
    if (leak) verdict.report('I12', leak);
    if (!('results' in answer)) return;
    const owner = truth.ownerByLog.get(sent.body.logId ?? '');
    if (owner !== undefined && owner !== sent.user && answer.results.length > 0) {
      verdict.report('I12', `${sent.user} was answered about the log of ${owner}.`);
    }
    this.#grantsByScope.set(
      `${sent.user} ${readPlace(answer.checkpoint)?.scope ?? ''}`,
      permissions.scopeOf(sent.user),
    );
    for (const result of answer.results) {
      if (result.status === 'conflict' && result.mutationId !== undefined) this.#conflicted.add(result.mutationId);
      if (isAlone() && result.status === 'conflict') {
        verdict.report('I7', `A device alone met a conflict with ${result.mutationId}: ${JSON.stringify(result)}.`);
      }
      if (isAlone() && result.status === 'rejected' && result.code === 'OUTCOME_EXPIRED') {
        verdict.report('I7', `A device alone was refused ${result.mutationId}: ${result.code}.`);
      }
    }
    this.#checkReset(sent, answer, open);
    this.#checkSeen(sent, answer, open);
    const at = readPlace(sent.body.lastCheckpoint);
    const isBelow = at && truth.isOfThisFeed(at) && Math.max(at.place, at.since) < floorBefore;
    if (isBelow && !answer.reset && answer.protocol === 2 && sent.body.pull !== false) {
      verdict.report('I9', `A pull from place ${at.place} was answered although the floor is ${floorBefore}.`);
    }
  }

  /** A device must be told of a restore exactly if it knows what was lost. */
  #checkReset({ sender, body }: Sent, { reset }: SyncPushResponse, { line, isOfThisFeed }: Open): void {
    if (line !== this.#parts.truth().line) return;
    const name = `${sender} with ${body.lastCheckpoint}`;
    if (isOfThisFeed && reset === 'epoch') {
      this.#parts.verdict.report('I9', `${name} was told of a restore, and knows nothing that was lost.`);
    }
    if (!isOfThisFeed && !reset) {
      this.#parts.verdict.report('I9', `${name} knows what was lost, and was not told of the restore.`);
    }
  }

  /** A checkpoint tells how far its device has seen the feed, by its own writes too: or their loss went unnoticed. */
  #checkSeen({ body }: Sent, { results, checkpoint }: SyncPushResponse, { line }: Open): void {
    const truth = this.#parts.truth();
    const seen = readPlace(checkpoint)?.seen ?? 0;
    if (line !== truth.line) return;
    for (const result of results) {
      const said = this.#saidById.get(result.mutationId ?? '');
      const record = said && truth.records.get(nameOf(said));
      if (result.status !== 'applied' || record?.version !== result.serverVersion || record.place <= seen) continue;
      const of = `${nameOf(record)} v${record.version} at place ${record.place}`;
      this.#parts.verdict.report('I6', `${body.clientId} was told of ${of}, and its checkpoint ${checkpoint} is not.`);
    }
  }
}

/** Whether two mutations mean the same, whatever log, sequence and base they are sent with. */
function saysTheSame(a: MutationLogEntry, b: MutationLogEntry): boolean {
  return nameOf(a) === nameOf(b) && a.operation === b.operation && isSame(a.data ?? null, b.data ?? null);
}
