/** A record in the reference model, and how a write changes it. */
import type { LedgerRow, RecordState } from '@objectql/protocol-sync';
import type { JsonObject, MutationLogEntry, RecordId } from '@objectql/sync-types';
import type { TrueField } from './invariants/lost-update.js';
import { isSame } from './record-name.js';

/** A record as it must be. */
export interface TrueRecord {
  readonly objectName: string;
  readonly recordId: RecordId;
  readonly version: number;
  readonly place: number;
  readonly data: JsonObject | null;
  readonly born: number;
  readonly bornBy: string;
  readonly fields: ReadonlyMap<string, TrueField>;
  readonly changedAt: number;
}

/** An applied mutation. */
export interface TrueWrite {
  readonly said: MutationLogEntry;
  readonly lineage: string;
  readonly row: LedgerRow;
  readonly version: number;
  readonly changedAt: number;
}

/** The record after the write. */
export function writeTruth(
  before: TrueRecord | undefined,
  { said, lineage, row, version, changedAt }: TrueWrite,
): TrueRecord {
  const { objectName, recordId, operation } = said;
  const dropped = row.outcome.status === 'applied' ? row.outcome.droppedFields : [];
  const data = Object.fromEntries(Object.entries(said.data ?? {}).filter(([field]) => !dropped.includes(field)));
  const common = { objectName, recordId, version, place: 0, changedAt };
  const born = { born: before?.born ?? version, bornBy: before?.bornBy ?? lineage };
  if (operation === 'delete') return { ...common, ...born, data: null, fields: new Map() };
  const isNew = !before?.data;
  const fields = new Map(isNew ? [] : before.fields);
  for (const [field, value] of Object.entries(data)) {
    const last = isSame(before?.data?.[field], value) ? fields.get(field) : undefined;
    const repeated = last ? [last, ...(last.repeated ?? [])] : [];
    fields.set(field, { version, lineage, sequence: row.sequence, mutationId: said.id, repeated });
  }
  if (isNew) return { ...common, born: version, bornBy: lineage, data, fields };
  return { ...common, ...born, data: { ...before.data, ...data }, fields };
}

/** A state that the server itself made: taken as it is. */
export function fresh(state: RecordState): TrueRecord {
  const { objectName, recordId, version, data, born, bornBy, changedAt } = state;
  const fields = new Map<string, TrueField>();
  for (const field of Object.keys(data ?? {})) {
    const write =
      state.writes.find((one) => one.fields?.includes(field)) ?? state.writes.find((one) => one.fields === null);
    if (!write) continue;
    const { logId: lineage, sequence } = write.stamp;
    fields.set(field, { version: write.version, lineage, sequence, mutationId: undefined });
  }
  return { objectName, recordId, version, data, born, bornBy: bornBy.logId, changedAt, fields, place: 0 };
}
