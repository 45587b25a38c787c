/** A network that loses, delays, duplicates, reorders, garbles and cuts messages in both directions. */
import { TransportError } from '@objectql/plugin-sync';
import type { SyncErrorBody, SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { never } from './gate.js';
import type { Faults } from './plan.js';
import { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';
import type { Sent } from './wire-watch.js';

export interface NetworkParts {
  readonly seed: number;
  readonly time: VirtualTime;
  readonly faults: () => Faults | undefined;
  readonly isErrorAnswered: boolean;
  /** The history of the server as it is now. */
  readonly line: () => string;
  /** True when the place where an answer ends is announced before the answer itself. */
  readonly isAnnounced: (answer: SyncPushResponse) => boolean;
  /**
   * Delivers a request to the server; never resolves when the server dies while handling it, rejects when it is down.
   */
  readonly deliver: (kind: 'push' | 'pull', sent: Sent) => Promise<SyncPushResponse | SyncErrorBody>;
  /** Takes a function that makes the line, since making it costs more than sending the request. */
  readonly log: (line: () => string) => void;
}

/** The sender and its state. */
export interface Sender {
  readonly name: string;
  readonly user: string;
  readonly aheadMs: number;
  readonly isOnline: boolean;
  /** False when its user's session has expired. */
  readonly isSignedIn: boolean;
}

/** The message to send. */
export interface Message {
  readonly kind: 'push' | 'pull';
  readonly request: object;
  readonly onNextPage?: ((checkpoint: string) => void) | undefined;
}

const HOUR_MS = 3_600_000;
const LONG_DELAY_MS = 120_000;

export class Network {
  readonly #parts: NetworkParts;
  #requests = 0;
  #underWay = 0;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  /** How many requests, copies included, have not reached the server yet. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Sends a request; resolves with what comes back over the wire. Before that, `onNextPage` is told of its header. */
  async send({ kind, request, onNextPage }: Message, sender: Sender): Promise<SyncPushResponse> {
    const { seed, time, faults, log } = this.#parts;
    const number = ++this.#requests;
    const random = new Random(seed, 'network', number);
    const lot = faults();
    if (!sender.isOnline) throw unreachable();
    // Copied as on the wire, so that each side has objects of its own.
    const body: SyncPushRequest = JSON.parse(JSON.stringify(request));
    const { name, user, aheadMs } = sender;
    const sent = { body, sender: name, user, sentAt: time.now(), aheadMs, line: this.#parts.line() };
    if (lot && random.chance(lot.duplicate)) this.#repeat(kind, sent, random.next() ** 4 * HOUR_MS);
    const isLost = lot !== undefined && random.chance(lot.loseRequest);
    log(() => `${sender.name}: request ${number}, ${describe(kind, body)}${isLost ? ', is lost' : ''}`);
    if (isLost) {
      if (random.chance(0.5)) return never();
      await time.sleep(random.between(1, 5000));
      throw unreachable();
    }
    if (!sender.isSignedIn) {
      await time.sleep(delay(random, lot));
      throw new TransportError('Nobody is signed in.', { type: 'refused', status: 401, code: 'UNAUTHENTICATED' });
    }
    if (lot?.forbid && this.#isForbidden(body, lot.forbid)) {
      log(() => `request ${number} is forbidden`);
      await time.sleep(delay(random, lot));
      throw new TransportError('A firewall refused the request.', { type: 'refused', status: 403 });
    }
    const answer = await this.#carry(kind, sent, delay(random, lot));
    await time.sleep(delay(random, lot));
    if (onNextPage && 'results' in answer && this.#parts.isAnnounced(answer)) {
      onNextPage(answer.checkpoint);
      // The answer itself takes longer, and may still be lost.
      await time.sleep(delay(new Random(seed, 'page', number), lot));
    }
    return this.#bring(answer, { random, lot, number, sender: sender.name });
  }

  /** The same mutation meets the same fate each time. */
  #isForbidden({ mutations = [] }: SyncPushRequest, share: number): boolean {
    return mutations.some(({ id }) => new Random(this.#parts.seed, 'firewall', id).chance(share));
  }

  async #bring(
    answer: SyncPushResponse | SyncErrorBody,
    { random, lot, number, sender }: { random: Random; lot: Faults | undefined; number: number; sender: string },
  ): Promise<SyncPushResponse> {
    const { log, isErrorAnswered } = this.#parts;
    if (lot && random.chance(lot.loseAnswer)) {
      log(() => `answer ${number} is lost`);
      if (random.chance(0.5)) return never();
      throw unreachable();
    }
    if (lot && random.chance(lot.cutAnswer)) {
      const text = JSON.stringify(answer);
      log(() => `answer ${number} is cut`);
      // What `response.json()` does with half an answer.
      return JSON.parse(text.slice(0, Math.floor(random.next() * (text.length - 1))));
    }
    if (lot && random.chance(lot.garbleAnswer)) {
      log(() => `answer ${number} is garbled`);
      return garble(answer, random);
    }
    log(() => `${sender}: answer ${number}, ${describeAnswer(answer)}`);
    if ('error' in answer && !isErrorAnswered) throw refused(answer);
    return JSON.parse(JSON.stringify(answer));
  }

  #repeat(kind: 'push' | 'pull', sent: Sent, afterMs: number): void {
    this.#carry(kind, sent, afterMs).then(
      (answer) => this.#parts.log(() => `a copy of ${describe(kind, sent.body)} arrived: ${describeAnswer(answer)}`),
      () => {},
    );
  }

  async #carry(kind: 'push' | 'pull', sent: Sent, delayMs: number): Promise<SyncPushResponse | SyncErrorBody> {
    this.#underWay += 1;
    await this.#parts.time.sleep(delayMs);
    this.#underWay -= 1;
    try {
      return await this.#parts.deliver(kind, sent);
    } catch {
      throw unreachable();
    }
  }
}

/** What a server announces: where an answer ends, if the client may send its next request whatever the answer says. */
export function isAnnounced({ results, hasMore, reset }: SyncPushResponse): boolean {
  const isPlain = !reset && results.every(({ status }) => status === 'applied');
  return isPlain && (hasMore === true || results.length > 0);
}

/** How long a message is on its way. */
export function delay(random: Random, lot: Faults | undefined): number {
  const isLong = lot !== undefined && random.chance(lot.longDelay);
  return isLong ? random.between(1, LONG_DELAY_MS) : random.between(5, 200);
}

/** Turns an answer into what captive portals and broken proxies make of it. */
function garble(answer: SyncPushResponse | SyncErrorBody, random: Random): SyncPushResponse {
  const { results = [], ...rest } = 'results' in answer ? answer : {};
  const garbled: readonly [unknown, ...unknown[]] = [
    '<html>Sign in</html>',
    null,
    {},
    { ...rest, results: results.slice(1) },
  ];
  // The port's type is what a transport promises; this one breaks its promise.
  return random.pick(garbled) as SyncPushResponse;
}

function unreachable(): TransportError {
  return new TransportError('There is no way to the server.', { type: 'unreachable' });
}

function refused({ error }: SyncErrorBody): TransportError {
  const status = error.code === 'BUSY' ? 503 : error.code === 'INTERNAL' ? 500 : 409;
  return new TransportError(error.message, { type: 'refused', status, code: error.code });
}

function describe(kind: string, { mutations = [], lastCheckpoint }: SyncPushRequest): string {
  const said = mutations.map(
    ({ id, operation, objectName, recordId, sequence, baseVersion, data }) =>
      `#${sequence} ${id.slice(-6)} ${operation} ${objectName} ${JSON.stringify(recordId)} base ${baseVersion} ${JSON.stringify(data ?? null)}`,
  );
  return `${kind} from ${lastCheckpoint} [${said.join('; ')}]`;
}

function describeAnswer(answer: SyncPushResponse | SyncErrorBody): string {
  if ('error' in answer) return `error ${answer.error.code}`;
  const results = answer.results.map((result) => {
    if (result.status === 'applied') return `v${result.serverVersion}${result.duplicate ? ' again' : ''}`;
    return result.status === 'conflict' ? `conflict ${result.conflict.kind}` : `rejected ${result.code}`;
  });
  const changes = answer.serverChanges.map(
    ({ objectName, recordId, serverVersion, operation }) =>
      `${operation} ${objectName} ${JSON.stringify(recordId)} v${serverVersion}`,
  );
  const ends = `${answer.checkpoint}${answer.hasMore ? ' …' : ''}${answer.reset ? ` reset ${answer.reset}` : ''}`;
  return `[${results.join('; ')}] changes [${changes.join('; ')}] to ${ends}`;
}
