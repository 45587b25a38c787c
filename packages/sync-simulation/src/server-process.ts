/** One process of the server: it can end at any moment, while the store and the other processes stay. */
import { type RecordResolver, type SyncEndpoint, type SyncHandler, SyncRequestError } from '@objectql/protocol-sync';
import type { SyncErrorBody, SyncPushResponse } from '@objectql/sync-types';
import { type Gate, never } from './gate.js';
import type { Served } from './stream-network.js';
import type { VirtualTime } from './virtual-time.js';

/** What a process needs to run. */
export interface ServerProcessParts {
  readonly name: string;
  readonly time: VirtualTime;
  readonly log: (line: string) => void;
  /** False while there is no store to run on. */
  readonly mayStart: () => boolean;
  readonly newGate: (onCrash: () => void) => Gate;
  readonly newResolver: (gate: Gate) => RecordResolver;
  readonly newHandler: (gate: Gate) => SyncHandler;
  readonly newEndpoint: (handler: SyncHandler, gate: Gate) => SyncEndpoint;
}

/** A started process. */
interface Life {
  readonly gate: Gate;
  readonly resolver: RecordResolver;
  readonly handler: SyncHandler;
  readonly endpoint: SyncEndpoint;
}

export class ServerProcess {
  readonly #parts: ServerProcessParts;
  #life: Life | undefined;

  constructor(parts: ServerProcessParts) {
    this.#parts = parts;
  }

  get isUp(): boolean {
    return this.#life !== undefined;
  }

  /** Its access to the store, while it runs. */
  get gate(): Gate | undefined {
    return this.#life?.gate;
  }

  start(): void {
    const { mayStart, newGate, newResolver, newHandler, newEndpoint } = this.#parts;
    if (this.#life || !mayStart()) return;
    const gate = newGate(() => this.crash(1000));
    const handler = newHandler(gate);
    this.#life = { gate, resolver: newResolver(gate), handler, endpoint: newEndpoint(handler, gate) };
  }

  /** Ends it wherever it is; it starts again after `downMs`. */
  crash(downMs: number): void {
    if (!this.#life) return;
    this.#parts.log(`${this.#parts.name}: crashes`);
    this.#life.gate.kill();
    this.#life = undefined;
    this.#parts.time.after(downMs, () => this.start());
  }

  /** Closes it as for a deployment; a second later its process ends, and starts again after `downMs`. */
  stop(downMs: number): void {
    const life = this.#life;
    if (!life) return;
    const { log, name, time } = this.#parts;
    log(`${name}: stops`);
    life.handler.close().catch((error: unknown) => log(`${name}: could not close, ${error}`));
    time.after(1000, () => {
      if (this.#life === life) this.crash(downMs);
    });
  }

  /** Lets it crash at its nth next store operation. */
  crashAt(operation: number, when: 'before' | 'after'): void {
    this.#life?.gate.arm(operation, when);
  }

  /** Nothing is armed any more, and it is up. */
  heal(): void {
    this.#life?.gate.disarm();
    this.start();
  }

  async prune(): Promise<void> {
    const { log, name } = this.#parts;
    await this.#life?.handler.prune().catch((error: unknown) => log(`${name}: prune failed, ${error}`));
  }

  /** Handles a request from the wire; never resolves when the process dies meanwhile. */
  async handle(kind: 'push' | 'pull', body: unknown, user: string): Promise<SyncPushResponse | SyncErrorBody> {
    if (!this.#life) throw new Error('The server is down.');
    const { gate, handler, resolver } = this.#life;
    try {
      const context = { principal: { id: user } };
      const answer = await (kind === 'push'
        ? handler.handlePush(body, resolver, context)
        : handler.handlePull(body, context));
      return gate.isDead ? await never() : answer;
    } catch (error) {
      if (gate.isDead) return never();
      if (error instanceof SyncRequestError) return error.toBody();
      return { error: { code: 'INTERNAL', message: 'The server failed.' } };
    }
  }

  /** Answers a request for a stream; rejects when the process dies meanwhile. */
  async stream(request: Request): Promise<Served> {
    if (!this.#life) throw new Error('The server is down.');
    const { gate, endpoint } = this.#life;
    return { response: await Promise.race([endpoint(request), gate.death]), gate };
  }
}
