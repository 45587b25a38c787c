/** Lists as parameters of the PostgreSQL store's statements: one text for all values of a column. */
import type { RecordRef } from '@objectql/sync-types';
import { encodeBookkeeping } from '../record-encoding.js';
import type { LedgerRow, LogRow, RecordState } from '../sync-store.js';
import { TEXT_SEPARATOR } from './postgres-statements.js';
import type { SqlValues } from './postgres-together.js';

/** One log, or none. */
export function logValues(log: LogRow | undefined): SqlValues {
  return log ? [log.logId, log.principal, String(log.floor), String(log.lastTime)] : [null, null, '0', '0'];
}

/** Logs, with one parameter for each of their columns. */
export function logArrays(logs: readonly LogRow[]): SqlValues {
  return [
    textArray(logs.map(({ logId }) => logId)),
    textArray(logs.map(({ principal }) => principal)),
    plainArray(logs.map(({ floor }) => floor)),
    plainArray(logs.map(({ lastTime }) => lastTime)),
  ];
}

/** The names of records, in two parameters. */
export function keyArrays(refs: readonly RecordRef[]): [objectNames: string, recordIds: string] {
  return [textArray(refs.map(({ objectName }) => objectName)), jsonTexts(refs.map(({ recordId }) => recordId))];
}

/** Ledger rows, likewise. */
export function ledgerArrays(rows: readonly LedgerRow[]): SqlValues {
  return [
    textArray(rows.map(({ mutationId }) => mutationId)),
    textArray(rows.map(({ logId }) => logId)),
    plainArray(rows.map(({ sequence }) => sequence)),
    ...keyArrays(rows),
    plainArray(rows.map(({ contentHash }) => contentHash)),
    jsonTexts(rows.map(({ outcome }) => outcome)),
    plainArray(rows.map(({ at }) => at)),
  ];
}

/** Records, likewise, without their places. */
export function recordArrays(records: readonly RecordState[]): SqlValues {
  return [
    ...keyArrays(records),
    plainArray(records.map(({ version }) => version)),
    plainArray(records.map(({ changedAt }) => changedAt)),
    jsonTexts(records.map(({ data }) => data)),
    records.map(encodeBookkeeping).join(TEXT_SEPARATOR),
  ];
}

/** Values as JSON texts in one parameter, with nothing for null: in an array each of their quotes needs an escape. */
export function jsonTexts(values: readonly unknown[]): string {
  return values.map((value) => (value === null ? '' : JSON.stringify(value))).join(TEXT_SEPARATOR);
}

/** An array of texts, as PostgreSQL reads it. */
export function textArray(texts: readonly (string | null)[]): string {
  const quoted = texts.map((text) => (text === null ? 'NULL' : `"${text.replace(/[\\"]/g, '\\$&')}"`));
  return `{${quoted.join(',')}}`;
}

/** An array of values that need no quotes. */
export function plainArray(values: readonly (number | boolean)[]): string {
  return `{${values.join(',')}}`;
}
