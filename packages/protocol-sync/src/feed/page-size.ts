/** Decides how many records make a page: only a few large ones, and no more are read than a page takes. */
import { utf8Bytes } from '@objectql/sync-types';
import type { FeedRecord } from '../storage/sync-store.js';

/** 512 bytes: what a change carries besides its data, with ids of the largest size. */
const CHANGE_OVERHEAD_BYTES = 512;
/** 16 records are read even after large ones, to find out whether the next ones are small again. */
const MIN_RECORDS = 16;
/** 1.5 times as many as would fit, because the next ones may be a little smaller. */
const MARGIN = 1.5;

/**
 * The pages of one server. Stores count records, and a thousand large ones are hundreds of megabytes, while a page
 * takes one megabyte. So earlier pages tell how many to ask for; a wrong guess only makes a smaller page.
 */
export class PageSize {
  readonly #maxBytes: number;
  #guess = Number.POSITIVE_INFINITY;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many records to read for a page of at most `wanted`. */
  limitFor(wanted: number): number {
    return Math.min(wanted, this.#guess);
  }

  /** As many of the records as fit the page, and always one, so that a large record cannot stall the feed. */
  select(records: readonly FeedRecord[]): readonly FeedRecord[] {
    const characters = records.reduce((sum, { data }) => sum + (data?.length ?? 0), 0);
    const overhead = records.length * CHANGE_OVERHEAD_BYTES;
    // A UTF-16 unit takes at most three bytes, so most pages need no counting.
    const selected = 3 * characters + overhead <= this.#maxBytes ? records : this.#upToSize(records);
    if (records.length >= MIN_RECORDS || selected.length < records.length) {
      const average = (characters + overhead) / records.length;
      this.#guess = Math.max(MIN_RECORDS, Math.ceil((MARGIN * this.#maxBytes) / average));
    }
    return selected;
  }

  #upToSize(records: readonly FeedRecord[]): readonly FeedRecord[] {
    let bytes = 0;
    const end = records.findIndex(({ data }, index) => {
      bytes += (data === null ? 0 : utf8Bytes(data)) + CHANGE_OVERHEAD_BYTES;
      return index > 0 && bytes > this.#maxBytes;
    });
    return end === -1 ? records : records.slice(0, end);
  }
}
