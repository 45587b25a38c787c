/** Values for tests of stores, and the shortest ways to write and read them. */
import type { RecordRef } from '@objectql/sync-types';
import type {
  FeedRecord,
  Intent,
  LedgerRow,
  Loaded,
  LoadRequest,
  LogRow,
  RecordState,
  SaveRequest,
  SyncStore,
} from '../sync-store.js';

export function sampleState(changed: Partial<RecordState> = {}): RecordState {
  const version = changed.version ?? 1;
  const stamp = { time: 1_700_000_000_000, logId: 'log-1', sequence: version };
  return {
    objectName: 'task',
    recordId: 'task-1',
    version,
    born: 1,
    bornBy: { ...stamp, sequence: 1 },
    data: { title: 'A task' },
    deleted: null,
    writes: [{ version, stamp, fields: null }],
    run: { logId: 'log-1', from: 1 },
    changedAt: 1_700_000_000_000,
    origin: { logId: 'log-1', mutationId: `mutation-${version}`, sequence: version },
    ...changed,
  };
}

/** The record deleted at `changedAt`. */
export function sampleTombstone(recordId: string, changedAt: number, version = 2): RecordState {
  const deleted = { time: changedAt, logId: 'log-1', sequence: version };
  return sampleState({ recordId, version, changedAt, data: null, deleted, writes: [] });
}

export function sampleRow(mutationId: string, changed: Partial<LedgerRow> = {}): LedgerRow {
  return {
    mutationId,
    logId: 'log-1',
    sequence: 1,
    objectName: 'task',
    recordId: 'task-1',
    // Needs all the bits that a hash may have.
    contentHash: Number.MAX_SAFE_INTEGER - mutationId.length,
    outcome: { status: 'applied', version: 1, droppedFields: [] },
    at: 1_700_000_000_000,
    ...changed,
  };
}

export function sampleLog(changed: Partial<LogRow> = {}): LogRow {
  return { logId: 'log-1', principal: 'ada', floor: 0, lastTime: 1_700_000_000_000, ...changed };
}

export function sampleIntent(changed: Partial<RecordState> = {}): Intent {
  const state = sampleState(changed);
  const { objectName, recordId } = state;
  const mutation = {
    id: 'mutation-1',
    objectName,
    recordId,
    operation: 'update',
    data: { title: 'A task' },
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId: 'device-1',
    sequence: 1,
    baseVersion: null,
  } as const;
  return {
    objectName,
    recordId,
    mutation,
    state,
    ledger: sampleRow('mutation-1'),
    principal: null,
    startedAt: 1_700_000_000_000,
  };
}

/** Saves in one transaction, after loading what is saved. */
export async function save(store: SyncStore, request: SaveRequest): Promise<void> {
  await store.transaction(async (transaction) => {
    await transaction.load(loadRequestOf(request));
    await transaction.save(request);
  });
}

/** The load that a save of `request` asks for first. */
export function loadRequestOf({ records = [], intents = [], log, formerLogs = [] }: SaveRequest): LoadRequest {
  return {
    records: [...records, ...intents],
    mutationIds: [],
    ...(log ? { log: { logId: log.logId, sequences: [] } } : {}),
    formerLogs: formerLogs.map(({ logId }) => ({ logId, sequences: [] })),
  };
}

/** Loads in a transaction of its own. */
export function look(store: SyncStore, request: Partial<LoadRequest>): Promise<Loaded> {
  return store.transaction((transaction) => transaction.load({ records: [], mutationIds: [], ...request }));
}

/** The whole feed. */
export async function feedOf(store: SyncStore): Promise<readonly FeedRecord[]> {
  return (await store.page({ after: 0, limit: 1_000_000 })).records;
}

/** The state as the feed tells it at that place. */
export function told(state: RecordState, place: number): FeedRecord {
  const { objectName, recordId, version, born, data, changedAt, origin } = state;
  return { objectName, recordId, place, version, born, data: data && JSON.stringify(data), changedAt, origin };
}

/** A task's name. */
export function task(recordId: string | number): RecordRef {
  return { objectName: 'task', recordId };
}
