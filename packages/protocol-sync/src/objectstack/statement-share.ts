/** Splits lists into shares that fit one statement. */

/** 250 rows: Knex turns each row into a term of a compound SELECT, and SQLite takes at most 500 of them. */
export const INSERT_ROWS = 250;
/**
 * 5,000 ids: a statement takes 32,766 values in SQLite and 65,535 in PostgreSQL, and the engine adds some of its own.
 */
export const NAMED_IDS = 5000;

/** The items in their order, `size` at a time. */
export function* shares<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
