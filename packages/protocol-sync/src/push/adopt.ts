/** Takes records that the application had before sync into the feed, the first time a mutation meets them. */
import type { JsonObject, RecordRef } from '@objectql/sync-types';
import type { ResolverCaller } from '../records/call-resolver.js';
import { SERVER_LOG_ID, writeRecord } from '../records/record-state.js';
import { viewOf } from '../rules/authorize.js';
import type { JudgeRules } from './judge.js';
import type { PushSession } from './push-session.js';

interface Asked {
  readonly caller: ResolverCaller;
  readonly rules: Pick<JudgeRules, 'authorize' | 'principal'>;
  readonly transaction: unknown;
}

/** Adopts the application's record of one that sync has never seen, if there is one, as version 1. */
export async function lookUpAndAdopt(
  { objectName, recordId }: RecordRef,
  session: PushSession,
  { caller, rules, transaction }: Asked,
): Promise<void> {
  const data = await caller.getRecord({ objectName, recordId }, transaction);
  if (!data) return;
  // If a rule fails for this record, every page that holds it would fail.
  await viewOf({ objectName, recordId, data }, rules);
  adopt({ objectName, recordId }, data, session);
}

/** The same with a record that was looked up before. */
export function adopt({ objectName, recordId }: RecordRef, data: JsonObject, session: PushSession): void {
  const stamp = { time: session.now, logId: SERVER_LOG_ID, sequence: 0 };
  const write = {
    objectName,
    recordId,
    operation: 'create' as const,
    data,
    stamp,
    changedAt: session.now,
    origin: null,
  };
  session.write(writeRecord(undefined, write, session.versionFloor));
  session.isAdopting = true;
}
