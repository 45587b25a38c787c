/** A sync server in the test's own process: the real handler on a store in memory, without HTTP. */
import type { JsonObject, RecordId, SyncPullRequest, SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { TestClock } from '../platform/test-clock.js';
import type { Identified } from '../principal.js';
import { type RecordResolver, storeResolver } from '../records/record-resolver.js';
import { SyncHandler } from '../sync-handler.js';
import type { SyncHandlerOptions } from '../sync-handler-options.js';

export interface TestServerOptions extends Omit<SyncHandlerOptions, 'platform'> {
  /** The application's records. Default: they are kept in the sync store itself. */
  readonly resolver?: RecordResolver | undefined;
  /** Who `push` and `pull` ask for. Default: nobody is authenticated. */
  readonly principal?: Identified | undefined;
  /** Epoch milliseconds, where device and server share a clock. Default: the server's own `clock`. */
  readonly now?: (() => number) | undefined;
}

/** What a client takes for its transport. */
export interface TestConnection {
  push(request: SyncPushRequest): Promise<SyncPushResponse>;
  pull(request: SyncPullRequest): Promise<SyncPushResponse>;
}

/** A record as a new device would be sent it. */
export interface TestRecord {
  readonly recordId: RecordId;
  readonly version: number;
  readonly data: JsonObject;
}

/**
 * A server to sync with in a test; it is a client's `transport` as it is. Requests and answers are copied through JSON, as
 * on a wire.
 *
 * ```text
 * const server = new TestServer({ resolver: myResolver });
 * const engine = new SyncEngine({ clientId: 'phone', transport: server, config: { enabled: true } });
 * ```
 */
export class TestServer implements TestConnection, AsyncDisposable {
  /** The server's clock, ids and timers; `advance` moves them. */
  readonly clock = new TestClock();
  readonly handler: SyncHandler;
  readonly #resolver: RecordResolver;
  readonly #principal: Identified | null;

  constructor({ resolver = storeResolver, principal, now, ...options }: TestServerOptions = {}) {
    const { clock } = this;
    this.handler = new SyncHandler({
      ...options,
      platform: {
        now: now ?? (() => clock.now()),
        randomId: () => clock.randomId(),
        setTimer: (work, delayMs) => clock.setTimer(work, delayMs),
      },
    });
    this.#resolver = resolver;
    this.#principal = principal ?? null;
  }

  push(request: SyncPushRequest): Promise<SyncPushResponse> {
    return this.#connect(this.#principal).push(request);
  }

  pull(request: SyncPullRequest): Promise<SyncPushResponse> {
    return this.#connect(this.#principal).pull(request);
  }

  /** The transport of another user's device. */
  as(principal: Identified): TestConnection {
    return this.#connect(principal);
  }

  /** The records of an object that are not deleted, as a new device of `principal` would be sent them. */
  async records(objectName: string): Promise<readonly TestRecord[]> {
    const found: TestRecord[] = [];
    let lastCheckpoint: string | null = null;
    for (;;) {
      const request = { clientId: 'test-server', protocol: 2 as const, lastCheckpoint };
      const page: SyncPushResponse = await this.pull(request);
      for (const change of page.serverChanges) {
        const { recordId, serverVersion: version, data } = change;
        if (change.objectName === objectName && data) found.push({ recordId, version, data });
      }
      if (!page.hasMore) return found;
      lastCheckpoint = page.checkpoint;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handler.close();
  }

  #connect(principal: Identified | null): TestConnection {
    const context = { principal };
    return {
      push: async (request) =>
        throughJson(await this.handler.handlePush(throughJson(request), this.#resolver, context)),
      pull: async (request) => throughJson(await this.handler.handlePull(throughJson(request), context)),
    };
  }
}

/** A JSON value survives this trip unchanged, so the copy has the type of the original. */
function throughJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
