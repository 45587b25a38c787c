/** A record as the memory store holds it, and how it is copied in and out. */
import { ownFields } from '../own-copy.js';
import type { FeedRecord, RecordState, StoredRecord } from '../sync-store.js';

/** A record with its own copy of the data, which nobody else can change. It never leaves its place in the maps. */
export type Row = { -readonly [Key in keyof StoredRecord]: StoredRecord[Key] } & {
  /**
   * `data` as readers are sent it. Kept from the second reader on: for a single one, keeping it costs more than making
   * it. Empty after the first.
   */
  text: string | undefined;
};

/** Property by property, because spreading a record costs several times as much. The place is given at commit. */
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

/** Writes the record's new state into `row`, which stays where it is in the maps. */
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
