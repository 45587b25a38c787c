/** Keeps objects that are already shown while they are still true: identical ones need not be shown again. */
import { jsonEquals, type RecordRef } from '@objectql/sync-types';
import { byId } from '../records/by-id.js';

/** `before` when both are the same JSON. */
export function keepSame<Value>(before: Value, after: Value): Value {
  return jsonEquals(before, after) ? before : after;
}

/** A list in which each item that is the same JSON as before is the same object; `before` itself if nothing changed. */
export function keepSameItems<Item extends { readonly id: string }>(
  before: readonly Item[],
  after: readonly Item[],
): readonly Item[] {
  const knownById = new Map(before.map((known) => [known.id, known]));
  return keepSameList(
    before,
    after.map((item) => keepSame(knownById.get(item.id) ?? item, item)),
  );
}

/** The same for records in the order of their ids. Looks at the ids of those alone that are other objects than before. */
export function keepSameRecords<Record extends RecordRef>(
  before: readonly Record[],
  after: readonly Record[],
): readonly Record[] {
  let at = 0;
  const kept = after.map((record) => {
    let known = before[at];
    while (known && known !== record && byId(known, record) < 0) known = before[++at];
    if (!known || (known !== record && byId(known, record) !== 0)) return record;
    at += 1;
    return keepSame(known, record);
  });
  return keepSameList(before, kept);
}

function keepSameList<Item>(before: readonly Item[], after: readonly Item[]): readonly Item[] {
  return after.length === before.length && after.every((item, index) => item === before[index]) ? before : after;
}
