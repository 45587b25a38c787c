/** Lists in the shares that one statement takes. */

/** 250 rows: Knex makes of each row a term of a compound SELECT, and SQLite takes no more than 500 of them. */
export const INSERT_ROWS = 250;
/** 5,000 ids: SQLite takes 32,766 values in a statement and PostgreSQL 65,535, and the engine adds some of its own. */
export const NAMED_IDS = 5000;

/** The items in their order, `size` at a time. */
export function* shares<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
