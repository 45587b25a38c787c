/** A record's bookkeeping as compact JSON text, for stores that keep it in one column beside the data. */
import type { WriteStamp } from '@objectql/sync-types';
import type { RecordState } from './sync-store.js';

/** What a record has besides its name, version, data and time. */
export type Bookkeeping = Pick<RecordState, 'born' | 'bornBy' | 'deleted' | 'writes' | 'run' | 'origin'>;

/** A stamp with its log as an index into the record's list of logs. */
type EncodedStamp = readonly [time: number, log: number, sequence: number];

/** Few logs write to one record, so each log id is stored once. */
type EncodedBookkeeping = readonly [
  logIds: readonly string[],
  born: number,
  bornBy: EncodedStamp,
  deleted: EncodedStamp | null,
  run: readonly [log: number, from: number],
  origin: readonly [log: number, mutationId: string, sequence: number] | null,
  writes: readonly (readonly [version: number, stamp: EncodedStamp, fields: readonly string[] | null])[],
];

/** The bookkeeping as text, e.g. `[["log-1"],1,[1700000000000,0,1],null,[0,1],[0,"m-1",1],[[1,[…],["title"]]]]`. */
export function encodeBookkeeping(state: Bookkeeping): string {
  const logs = new Map<string, number>();
  const log = (logId: string) => {
    const index = logs.get(logId) ?? logs.size;
    logs.set(logId, index);
    return index;
  };
  const stamp = ({ time, logId, sequence }: WriteStamp): EncodedStamp => [time, log(logId), sequence];
  const { born, bornBy, deleted, run, origin, writes } = state;
  const tail = [
    born,
    stamp(bornBy),
    deleted && stamp(deleted),
    [log(run.logId), run.from],
    origin && [log(origin.logId), origin.mutationId, origin.sequence],
    writes.map((write) => [write.version, stamp(write.stamp), write.fields]),
  ];
  return JSON.stringify([[...logs.keys()], ...tail]);
}

/** The bookkeeping that was encoded. */
export function decodeBookkeeping(text: string): Bookkeeping {
  // Only this module's own text is ever read here.
  const [logIds, born, bornBy, deleted, run, origin, writes] = JSON.parse(text) as EncodedBookkeeping;
  const logId = (index: number) => logIds[index] ?? '';
  const stamp = ([time, log, sequence]: EncodedStamp): WriteStamp => ({ time, logId: logId(log), sequence });
  return {
    born,
    bornBy: stamp(bornBy),
    deleted: deleted && stamp(deleted),
    run: { logId: logId(run[0]), from: run[1] },
    origin: origin && { logId: logId(origin[0]), mutationId: origin[1], sequence: origin[2] },
    writes: writes.map(([version, write, fields]) => ({ version, stamp: stamp(write), fields })),
  };
}

/** The part of it that others may see. */
export function decodeProvenance(text: string): Pick<Bookkeeping, 'born' | 'origin'> {
  // Only this module's own text is ever read here.
  const [logIds, born, , , , origin] = JSON.parse(text) as EncodedBookkeeping;
  return {
    born,
    origin: origin && { logId: logIds[origin[0]] ?? '', mutationId: origin[1], sequence: origin[2] },
  };
}
