/** Databases limit the values in one statement: every SQLite takes at least 999. */

/** The items in their order, that many at a time. */
export function inParts<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, n) => items.slice(n * size, (n + 1) * size));
}
