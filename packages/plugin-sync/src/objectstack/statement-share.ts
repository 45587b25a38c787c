/** How much of a local data engine's fits one statement: every SQLite takes at least 999 values. */

/** Ids that a statement names. */
export const NAMED_AT_ONCE = 500;
/** Rows that a statement inserts: a note has some 15 values. */
export const INSERTED_AT_ONCE = 50;
