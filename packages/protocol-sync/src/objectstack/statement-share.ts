/** How much fits one statement of the data engine. */

/** 250 rows: Knex turns each row into a term of a compound SELECT, and SQLite takes at most 500 of them. */
export const INSERT_ROWS = 250;
/**
 * 5,000 ids: a statement takes 32,766 values in SQLite and 65,535 in PostgreSQL, and the engine adds some of its own.
 */
export const NAMED_IDS = 5000;
