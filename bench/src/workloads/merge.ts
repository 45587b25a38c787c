/** W6: remote writes of whole records, ten fields each, merged field by field by the strategy both sides use. */
import { type Contest, type JsonObject, lastWriteWins, type WriteStamp } from '@objectql/sync-types';
import type { Case, Measured } from '../case.js';
import { OBJECT_NAME, TASK_FIELDS } from '../data/task.js';
import { type RemoteWrite, remoteWrites } from '../data/workload-data.js';
import { Meter } from '../process/meter.js';
import { timed } from './stopwatch.js';

/** `size` is the number of fields. */
export async function merge(asked: Case): Promise<Measured> {
  const writes = remoteWrites(asked.size / TASK_FIELDS.length);
  const replica = new Map<string, Merged>();
  const apply = asked.contestant === 'floor' ? mergeByHand : mergeByStrategy;
  const meter = new Meter();
  await meter.start();
  const ms = await timed(() => {
    for (const write of writes) apply(replica, write);
  });
  const used = await meter.stop();
  return { ops: asked.size, ms, used, isVerified: isLatest(replica, writes) };
}

interface Merged {
  readonly record: Record<string, JsonObject[string]>;
  readonly stamps: Record<string, WriteStamp>;
}

const LOG_IDS = ['log-a', 'log-b'] as const;
const FIELDS: readonly string[] = TASK_FIELDS;

function mergeByStrategy(replica: Map<string, Merged>, { recordId, data, time, writer, sequence }: RemoteWrite): void {
  const stamp: WriteStamp = { time, logId: LOG_IDS[writer], sequence };
  const known = replica.get(recordId);
  const theirs = known ?? { record: {}, stamps: {} };
  if (!known) replica.set(recordId, theirs);
  const contest: Contest = {
    kind: 'update-update',
    objectName: OBJECT_NAME,
    recordId,
    mine: { operation: 'update', data, stamp },
    theirs,
    fields: FIELDS,
  };
  const verdict = lastWriteWins(contest);
  if (verdict.do !== 'apply') throw new Error('Nothing of this is to be asked.');
  if (verdict.drop.length === FIELDS.length) return;
  for (const field of FIELDS) {
    if (verdict.drop.includes(field)) continue;
    theirs.record[field] = data[field] ?? null;
    theirs.stamps[field] = stamp;
  }
}

/** The least that decides the same: compare two times and two names. */
function mergeByHand(replica: Map<string, Merged>, { recordId, data, time, writer, sequence }: RemoteWrite): void {
  const stamp = { time, logId: LOG_IDS[writer], sequence };
  const known = replica.get(recordId);
  const { record, stamps } = known ?? { record: {} as Merged['record'], stamps: {} as Merged['stamps'] };
  if (!known) replica.set(recordId, { record, stamps });
  for (const field of FIELDS) {
    const last = stamps[field];
    if (last && (last.time > time || (last.time === time && last.logId > stamp.logId))) continue;
    record[field] = data[field] ?? null;
    stamps[field] = stamp;
  }
}

/** Every record is the one write of it that no other write comes after. */
function isLatest(replica: ReadonlyMap<string, Merged>, writes: readonly RemoteWrite[]): boolean {
  const latest = new Map<string, RemoteWrite>();
  for (const write of writes) {
    const before = latest.get(write.recordId);
    const isLater =
      !before || write.time > before.time || (write.time === before.time && write.writer >= before.writer);
    if (isLater) latest.set(write.recordId, write);
  }
  return [...latest].every(([id, { data }]) => {
    const record = replica.get(id)?.record ?? {};
    return FIELDS.every((field) => record[field] === data[field]);
  });
}
