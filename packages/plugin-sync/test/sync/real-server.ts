/** The real sync handler in this process, behind a network that can be told to fail. */
import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
// biome-ignore lint/style/noRestrictedImports: the client is proven against the real server; only tests do this.
import { type RecordResolver, SyncHandler, type SyncHandlerOptions } from '../../../protocol-sync/src/index.js';
import type { Platform } from '../../src/platform/platform.js';
import { type SyncTransport, TransportError } from '../../src/transport/transport.js';

export interface RealServer {
  /** May be replaced, as when a server is restored or loses everything. */
  handler: SyncHandler;
  /** How the handler writes; its own store when `undefined`. */
  resolver: RecordResolver | undefined;
  /** A way to the server for one device, with faults of its own. */
  connect(): Connection;
}

export interface Connection {
  readonly transport: SyncTransport;
  /** What was asked, in order, also what never arrived. */
  readonly requests: readonly SyncPushRequest[];
  /** What happens to the next requests, one each: arrives, is lost on its way, or its answer is. */
  readonly fates: ('arrives' | 'request lost' | 'answer lost')[];
  /** Keeps the answer of the next request back until what it returns is called. */
  holdNextAnswer(): () => void;
}

/** A server with a clock of its own, that of `platform`. */
export function realServer(platform: Platform, options: Omit<SyncHandlerOptions, 'platform'> = {}): RealServer {
  const handler = makeHandler(platform, options);
  const server: RealServer = { handler, resolver: undefined, connect: () => connect(server) };
  return server;
}

/** A handler that has seen nothing yet. */
export function makeHandler(platform: Platform, options: Omit<SyncHandlerOptions, 'platform'> = {}): SyncHandler {
  const serverPlatform = {
    now: () => platform.now(),
    randomId: () => crypto.randomUUID(),
    setTimer: (work: () => void, delayMs: number) => platform.setTimer(work, delayMs),
  };
  return new SyncHandler({ ...options, platform: serverPlatform });
}

function connect(server: RealServer): Connection {
  const requests: SyncPushRequest[] = [];
  const fates: Connection['fates'] = [];
  let held: Promise<void> | undefined;
  const holdNextAnswer = () => {
    let deliver = () => {};
    held = new Promise((resolve) => {
      deliver = resolve;
    });
    return deliver;
  };
  const push = async (request: SyncPushRequest): Promise<SyncPushResponse> => {
    requests.push(structuredClone(request));
    const fate = fates.shift() ?? 'arrives';
    const lost = () => new TransportError(`The ${fate}.`, { type: 'unreachable' });
    if (fate === 'request lost') throw lost();
    const isHeld = held;
    held = undefined;
    const answer = await server.handler.handlePush(structuredClone(request), server.resolver);
    await isHeld;
    if (fate === 'answer lost') throw lost();
    return structuredClone(answer);
  };
  return { transport: { push }, requests, fates, holdNextAnswer };
}
