/** A record as the memory store holds it, and how it comes in and goes out. */
import { ownFields } from '../own-copy.js';
import type { FeedRecord, RecordState, StoredRecord } from '../sync-store.js';

/** A record with data of its own, of which nobody else can change what was stored. It never leaves its place in the maps. */
export type Row = { -readonly [Key in keyof StoredRecord]: StoredRecord[Key] } & {
  /**
   * What readers are sent of `data`; kept from the second on, because what only one is sent costs more to keep than to make.
   * Empty when there was a first.
   */
  text: string | undefined;
};

/** Name by name, because spreading a record costs several times as much. The place is given at commit. */
export function toRow(state: RecordState): Row {
  return {
    objectName: state.objectName,
    recordId: state.recordId,
    version: state.version,
    born: state.born,
    bornBy: state.bornBy,
    data: state.data && ownFields(state.data),
    text: undefined,
    deleted: state.deleted,
    writes: state.writes,
    run: state.run,
    changedAt: state.changedAt,
    origin: state.origin,
    place: 0,
  };
}

/** Takes over into `row`, which stays where it is in the maps, what the record has become. */
export function writeOver(
  row: Row,
  { version, born, bornBy, data, deleted, writes, run, changedAt, origin, place }: Row,
): Row {
  row.version = version;
  row.born = born;
  row.bornBy = bornBy;
  row.data = data;
  row.text = undefined;
  row.deleted = deleted;
  row.writes = writes;
  row.run = run;
  row.changedAt = changedAt;
  row.origin = origin;
  row.place = place;
  return row;
}

export function toRecord(row: Row): StoredRecord {
  return {
    objectName: row.objectName,
    recordId: row.recordId,
    version: row.version,
    born: row.born,
    bornBy: row.bornBy,
    data: row.data && ownFields(row.data),
    deleted: row.deleted,
    writes: row.writes,
    run: row.run,
    changedAt: row.changedAt,
    origin: row.origin,
    place: row.place,
  };
}

export function toFeedRecord(row: Row): FeedRecord {
  const { objectName, recordId, place, version, born, changedAt, origin } = row;
  return { objectName, recordId, place, version, born, data: textOf(row), changedAt, origin };
}

/** `null` for a tombstone. */
function textOf(row: Row): string | null {
  if (row.data === null) return null;
  if (row.text) return row.text;
  const text = JSON.stringify(row.data);
  row.text = row.text === undefined ? '' : text;
  return text;
}
