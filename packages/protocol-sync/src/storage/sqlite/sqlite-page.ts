/** One page of the SQLite store's feed. */
import { type RecordColumns, toFeedRecord } from '../sql-rows.js';
import type { FeedRecord, PageQuery } from '../sync-store.js';
import { RECORD_COLUMNS } from './sqlite-columns.js';
import type { SqliteConnection } from './sqlite-connection.js';

/** The records of a page. Reads as many rows as it returns, whatever else is stored. */
export function readPage(connection: SqliteConnection, { after, limit, objects }: PageQuery): readonly FeedRecord[] {
  const wanted = objects && [...new Set(objects)];
  return readRows(connection, { after, limit, objects: wanted }).map(toFeedRecord);
}

function readRows(connection: SqliteConnection, { after, limit, objects }: PageQuery): readonly RecordColumns[] {
  if (!objects) return connection.all(pageSql(), after, limit);
  if (objects.length === 0) return [];
  if (objects.length > MAX_MERGED_OBJECTS) return connection.all(FILTERED, after, JSON.stringify(objects), limit);
  return connection.all(pageSql(objects.length), ...objects.flatMap((objectName) => [objectName, after]), limit);
}

/**
 * The statement that reads a page: of the whole feed, or of this many objects. For objects it makes one index walk
 * each, and SQLite merges them as they go; an IN list would first read and sort everything behind the page.
 */
function pageSql(objects?: number): string {
  if (objects === undefined) return `${SELECT} WHERE place > ? ORDER BY place LIMIT ?`;
  const walks = Array.from({ length: objects }, () => `${SELECT} WHERE object_name = ? AND place > ?`);
  return `${walks.join(' UNION ALL ')} ORDER BY place LIMIT ?`;
}

const SELECT = `SELECT ${RECORD_COLUMNS} FROM objectql_sync_records`;
/** 100: SQLite merges at most 500; a client that wants more objects than this wants most of the feed. */
const MAX_MERGED_OBJECTS = 100;
const FILTERED = `${SELECT} WHERE place > ? AND +object_name IN (SELECT value FROM json_each(?)) ORDER BY place LIMIT ?`;
