/** Keeps objects that are already shown while they are still true: identical ones need not be shown again. */
import { jsonEquals } from '@objectql/sync-types';

/** `before` when both are the same JSON. */
export function keepSame<Value>(before: Value, after: Value): Value {
  return jsonEquals(before, after) ? before : after;
}

/** A list in which each item that is the same JSON as before is the same object; `before` itself if nothing changed. */
export function keepSameItems<Item>(
  before: readonly Item[],
  after: readonly Item[],
  keyOf: (item: Item) => unknown,
): readonly Item[] {
  let knownByKey: ReadonlyMap<unknown, Item> | undefined;
  const kept = after.map((item, index) => {
    if (item === before[index]) return item;
    knownByKey ??= new Map(before.map((known) => [keyOf(known), known]));
    const known = knownByKey.get(keyOf(item));
    return known === undefined ? item : keepSame(known, item);
  });
  return kept.length === before.length && kept.every((item, index) => item === before[index]) ? before : kept;
}
