/** Everything that a server made durable, in order, from which backups are made. */
import { MemoryStore, type SaveRequest } from '@objectql/protocol-sync';
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import { nameOf } from './record-name.js';
import type { Bases } from './server-truth.js';

/** One durable change of a server. */
export type Change =
  | {
      readonly type: 'commit';
      readonly saves: readonly SaveRequest[];
      readonly app: readonly (readonly [string, JsonObject | null])[];
      /** The epoch in which it took places, if it did. */
      readonly epoch?: string | undefined;
      /** Set once the reference model has seen the change. */
      readonly bases?: Bases;
    }
  | { readonly type: 'prune'; readonly before: number }
  | { readonly type: 'epoch'; readonly epoch: string };

export interface RestoreParts {
  /** The store's first epoch. */
  readonly firstEpoch: string;
  /** Names the epochs that begin after the restore. */
  readonly newEpoch: () => string;
}

/** A new store with all that these changes made durable, epochs included, as a process set up on it finds it. */
export async function restoreStore(
  changes: readonly Change[],
  { firstEpoch, newEpoch }: RestoreParts,
): Promise<MemoryStore> {
  let epoch = firstEpoch;
  let nextEpoch = () => epoch;
  const store = new MemoryStore({ platform: { randomId: () => nextEpoch() } });
  await store.open();
  for (const change of changes) {
    if (change.type === 'epoch') {
      epoch = change.epoch;
      await store.changeEpoch();
      continue;
    }
    if (change.type === 'prune') {
      await store.prune({ before: change.before, limit: Number.MAX_SAFE_INTEGER });
      continue;
    }
    if (change.epoch !== undefined && change.epoch !== epoch) {
      epoch = change.epoch;
      await store.open();
    }
    await store.transaction(async (transaction) => {
      await transaction.load({ ...loadOf(change.saves) });
      for (const save of change.saves) await transaction.save(save);
    });
  }
  nextEpoch = newEpoch;
  return store;
}

function loadOf(saves: readonly SaveRequest[]) {
  const refs = new Map<string, RecordRef>();
  for (const { records = [], intents = [], settledIntents = [] } of saves) {
    for (const { objectName, recordId } of [...records, ...intents, ...settledIntents]) {
      refs.set(nameOf({ objectName, recordId }), { objectName, recordId });
    }
  }
  const logId = saves.find(({ log }) => log)?.log?.logId;
  const formerLogs = saves.flatMap(({ formerLogs: left = [] }) => left.map((log) => ({ ...log, sequences: [] })));
  return {
    records: [...refs.values()],
    mutationIds: [],
    formerLogs,
    ...(logId === undefined ? {} : { log: { logId, sequences: [] } }),
  };
}
