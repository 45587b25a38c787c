/** Drops what is older than the retention from the SQLite store's tables, inside the caller's transaction. */
import { KEPT_EPOCHS } from '../epoch-watch.js';
import type { Int8 } from '../sql-rows.js';
import type { PruneSlice } from '../sync-store.js';
import type { SqliteConnection } from './sqlite-connection.js';

/** Drops one slice and raises the floors over it; answers how many rows it removed. */
export function pruneSqlite(connection: SqliteConnection, slice: PruneSlice): number {
  const removed = dropTombstones(connection, slice) + dropLedgerRows(connection, slice);
  connection.run(DROP_EPOCHS, KEPT_EPOCHS);
  return removed;
}

function dropTombstones(connection: SqliteConnection, { before, limit }: PruneSlice): number {
  const dropped = connection.all<{ place: Int8; version: Int8 }>(DROP_TOMBSTONES, before, limit);
  if (dropped.length > 0) {
    const floor = dropped.reduce((highest, { place }) => Math.max(highest, Number(place)), 0);
    const versionFloor = dropped.reduce((highest, { version }) => Math.max(highest, Number(version)), 0);
    connection.run(RAISE_FLOORS, floor, versionFloor);
  }
  return dropped.length;
}

function dropLedgerRows(connection: SqliteConnection, { before, limit }: PruneSlice): number {
  const dropped = connection.all<{ log_id: string | null; sequence: Int8 }>(DROP_ROWS, before, limit);
  const floorByLog = new Map<string, number>();
  for (const { log_id: logId, sequence } of dropped) {
    if (logId !== null) floorByLog.set(logId, Math.max(floorByLog.get(logId) ?? 0, Number(sequence)));
  }
  for (const [logId, floor] of floorByLog) connection.run(RAISE_LOG_FLOOR, floor, logId);
  return dropped.length;
}

const DROP_TOMBSTONES = `
  DELETE FROM objectql_sync_records WHERE place IN (
    SELECT place FROM objectql_sync_records WHERE data IS NULL AND changed_at < ? ORDER BY changed_at LIMIT ?)
  RETURNING place, version`;
const RAISE_FLOORS = 'UPDATE objectql_sync_feed SET floor = max(floor, ?), version_floor = max(version_floor, ?)';
// The epochs that are kept for their number have higher last places.
const DROP_EPOCHS = `
  DELETE FROM objectql_sync_epochs WHERE last_place < min(
    (SELECT floor FROM objectql_sync_feed),
    coalesce((SELECT last_place FROM objectql_sync_epochs ORDER BY last_place DESC LIMIT 1 OFFSET ?), 0))`;
const DROP_ROWS = `
  DELETE FROM objectql_sync_ledger WHERE mutation_id IN (
    SELECT mutation_id FROM objectql_sync_ledger WHERE at < ? ORDER BY at LIMIT ?)
  RETURNING log_id, sequence`;
const RAISE_LOG_FLOOR = 'UPDATE objectql_sync_logs SET floor = max(floor, ?) WHERE log_id = ?';
