/** A sync handler for tests, and mutations for it. */
import type { MutationLogEntry, SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import type { RecordResolver } from './records/record-resolver.js';
import { MemoryStore } from './storage/memory/memory-store.js';
import { SyncHandler } from './sync-handler.js';
import type { SyncHandlerOptions, SyncWarning } from './sync-handler-options.js';
import { SyncRequestError } from './sync-request-error.js';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** A server whose clock and timers the test moves. */
export function setUp(options: SyncHandlerOptions = {}) {
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  let ids = 0;
  const timers = new Set<() => void>();
  const platform = {
    now: () => now,
    randomId: () => `id-${++ids}`,
    setTimer(work: () => void) {
      timers.add(work);
      return () => timers.delete(work);
    },
  };
  const warnings: SyncWarning[] = [];
  const store = new MemoryStore({ platform });
  const handler = new SyncHandler({ store, platform, onWarning: (warning) => warnings.push(warning), ...options });
  const push = (request: Partial<SyncPushRequest>, resolver?: RecordResolver) =>
    handler.handlePush(
      { clientId: 'a', logId: 'log-a', protocol: 2, lastCheckpoint: null, mutations: [], ...request },
      resolver,
    );
  const pull = (lastCheckpoint: string | null = null, more: object = {}) =>
    handler.handlePull({ clientId: 'reader', protocol: 2, lastCheckpoint, ...more });
  return {
    handler,
    store,
    push,
    pull,
    warnings,
    advance: (ms: number) => (now += ms),
    armed: () => timers.size,
    runTimers: () => [...timers].forEach((work) => void work()),
  };
}

let made = 0;
/** A mutation of one log, the next in its sequence. */
export function mutation(parts: Partial<MutationLogEntry> = {}): MutationLogEntry {
  made += 1;
  return {
    id: `m${made}`,
    objectName: 'task',
    recordId: 't1',
    operation: 'update',
    timestamp: '2026-03-01T11:00:00.000Z',
    clientId: 'a',
    sequence: made,
    baseVersion: null,
    ...parts,
  };
}
/** The creation of a record. */
export const create = (data: MutationLogEntry['data'], parts: Partial<MutationLogEntry> = {}) =>
  mutation({ operation: 'create', ...(data ? { data } : {}), ...parts });

/** The status of each result, or the code of a rejection. */
export const brief = (results: readonly SyncMutationResult[]) =>
  results.map((result) => (result.status === 'rejected' ? result.code : result.status));

/** What a refused request is refused with. */
export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof SyncRequestError ? `${error.status} ${error.code}` : error),
  );
}

/** JSON of that depth. */
export function nested(levels: number): unknown {
  return levels === 0 ? 1 : { in: nested(levels - 1) };
}
