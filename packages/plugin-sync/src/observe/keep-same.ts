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
  const kept = [...after];
  let isSame = after.length === before.length;
  let at = 0;
  // A loop: a call for each of many records takes longer than a frame.
  for (let index = 0; index < kept.length; index += 1) {
    const record = kept[index] as Record;
    let known = before[at];
    if (known !== record) {
      while (known && byId(known, record) < 0) known = before[++at];
      if (!known || byId(known, record) > 0) {
        isSame = false;
        continue;
      }
      kept[index] = keepSame(known, record);
      isSame &&= kept[index] === before[index];
    }
    at += 1;
  }
  return isSame ? before : kept;
}

function keepSameList<Item>(before: readonly Item[], after: readonly Item[]): readonly Item[] {
  return after.length === before.length && after.every((item, index) => item === before[index]) ? before : after;
}
