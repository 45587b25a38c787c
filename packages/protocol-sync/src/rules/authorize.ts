/** Who may read and write what. */
import type { JsonObject, MutationLogEntry, RecordId, RecordRef } from '@objectql/sync-types';
import type { Claims, Identified, Principal } from '../principal.js';
import { ownFields } from '../storage/own-copy.js';

/** May this caller read this record? */
export interface ReadQuestion<Caller extends Identified = Principal> {
  readonly principal: Claims<Caller> | null;
  readonly objectName: string;
  readonly recordId: RecordId;
  /** The record as it is now; `null` when it is deleted. */
  readonly record: JsonObject | null;
}

/** May this caller make this change? */
export interface WriteQuestion<Caller extends Identified = Principal> {
  readonly principal: Claims<Caller> | null;
  readonly mutation: MutationLogEntry;
  /** The record before the write; `null` when there is none. */
  readonly record: JsonObject | null;
}

/**
 * `allow` sends the record; `{ without }` sends it without these fields, as if it did not have them; `forget` sends a
 * bare delete, so that devices which once had the record drop it (it reveals that the id exists); `hide` sends nothing,
 * as if it did not exist, and devices which have it keep their copy until their scope changes.
 */
export type ReadPermission = 'allow' | 'hide' | 'forget' | { readonly without: readonly string[] };

/**
 * The application's rules. A missing rule allows everything. `Authorize<Member>` are rules for the `Member` that
 * `authenticate` answers; the application vouches for that type.
 */
export interface Authorize<Caller extends Identified = Principal> {
  /** Asked for every record before it leaves the server, in changes, results and conflicts. */
  read?(question: ReadQuestion<Caller>): ReadPermission | Promise<ReadPermission>;
  /** Asked for every mutation, before it is decided: `true`, or `false` for `rejected FORBIDDEN`. */
  write?(question: WriteQuestion<Caller>): boolean | Promise<boolean>;
  /**
   * A text that changes when the principal's right to read changes other than by a record's own change (a new role, a
   * new team). Clients then walk the feed anew and drop what they may no longer read.
   */
  scope?(principal: Claims<Caller> | null): string | Promise<string>;
}

/** What the caller may see of a record: its data, `null` when it is deleted, `undefined` when they may see nothing. */
export async function viewOf(
  { objectName, recordId, data }: RecordRef & { readonly data: JsonObject | null },
  { authorize, principal }: { readonly authorize: Authorize; readonly principal: Principal | null },
): Promise<JsonObject | null | undefined> {
  if (!authorize.read) return data;
  // A copy: a rule may delete fields from the record it is given, and the stored record must not change.
  const permission = await authorize.read({ principal, objectName, recordId, record: data && ownFields(data) });
  return permission === 'hide' || permission === 'forget' ? undefined : visibleData(data, permission);
}

/** Whether a view shows all of a record. */
export function isWhole(view: JsonObject | null | undefined, data: JsonObject | null): boolean {
  return view === data || Object.keys(view ?? {}).length === Object.keys(data ?? {}).length;
}

/** The data without the fields that the permission takes away. */
export function visibleData<Data extends JsonObject | null>(data: Data, permission: ReadPermission): Data | JsonObject {
  if (data === null || typeof permission !== 'object') return data;
  return Object.fromEntries(Object.entries(data).filter(([field]) => !permission.without.includes(field)));
}
