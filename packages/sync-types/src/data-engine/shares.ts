/** Splits lists into shares that fit one statement: databases limit the values in one. */

/** The items in their order, `size` at a time. */
export function* shares<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
