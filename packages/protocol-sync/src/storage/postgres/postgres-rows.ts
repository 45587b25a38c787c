/** What the PostgreSQL store's statements select besides the tables' own rows, whose columns are in `sql-rows.ts`. */
import type { FeedColumns, Int8, RecordColumns } from '../sql-rows.js';

/** The feed as a transaction leaves it; all `null` if the transaction took no places. */
export type TakenColumns = Pick<FeedColumns, 'epoch' | 'head'> | { readonly head: null };

/** All that a transaction loads, as JSON texts, `null` for nothing; and how many rows of each table it has locked. */
export interface LoadColumns extends FeedColumns {
  readonly locked_logs: Int8;
  readonly locked_records: Int8;
  readonly locked_intents: Int8;
  readonly records: string | null;
  readonly intents: string | null;
  readonly ledger: string | null;
  readonly log: string | null;
}

/** The feed's facts beside one record of a page; without a record if the page is empty. */
export type PageColumns = { readonly epoch: string; readonly head: Int8 } & {
  readonly feed_floor: Int8;
  readonly version_floor: Int8;
} & (RecordColumns | { readonly place: null });
