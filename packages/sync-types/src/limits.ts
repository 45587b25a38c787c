/** The protocol's limits, each with its unit and reason. A server may change some, and advertises those of requests. */

/** What a server accepts, as it tells its clients in every answer. */
export interface SyncLimits {
  /** Bytes of a request's body, before and after decompression. */
  readonly maxBodyBytes: number;
  /** Mutations in one push. */
  readonly maxMutations: number;
}

/**
 * The header of an answer after which a client may send its next request before it has read the body; its value is the
 * checkpoint in the body. It is for a push whose mutations are all applied and committed, or a pull with another page
 * behind it; never for an answer with a reset. A server may leave it out.
 */
export const NEXT_PAGE_HEADER = 'sync-next-page';

/** 1 MiB: parsed in a few milliseconds, and small enough that a phone on a bad network finishes it. */
export const MAX_BODY_BYTES = 1024 * 1024;
/** 1,000: about what fits in a body, and enough to make the fixed cost of a request negligible for each mutation. */
export const MAX_MUTATIONS = 1000;
/** 100: what a client may assume of a server that has not told its limit. */
export const ASSUMED_MAX_MUTATIONS = 100;
/** 256 KiB of JSON: a record is a row, not a file; three of them still fit in a body. */
export const MAX_RECORD_BYTES = 256 * 1024;
/** 1,000: each field carries a version stamp, so a record's bookkeeping grows with its fields. */
export const MAX_FIELDS = 1000;
/** 32 levels: JSON.parse takes a million, JSON.stringify dies at 5,000, so one deep record would poison every pull. */
export const MAX_JSON_DEPTH = 32;
/** 128 bytes of UTF-8: fits every index of every store. */
export const MAX_ID_BYTES = 128;
/** 1,000 records a page: bounds memory and the work lost when an answer is cut; large records are bounded by bytes. */
export const MAX_PAGE_RECORDS = 1000;
/** 1 MiB a page: the same bounds, for large records. */
export const MAX_PAGE_BYTES = 1024 * 1024;
/** 1,000 objects named in a request: more than nearly any application has. */
export const MAX_OBJECTS = 1000;
/** 30 s: a server answers or cuts a request within it; the client waits as long for each next part of the answer. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** 15 s between two signs of life on the live stream: below the 30 s after which the strictest gateways cut a silent one. */
export const STREAM_HEARTBEAT_MS = 15_000;
/** 30 days: a device that was off for a month still resumes without walking the whole feed. */
export const CHANGE_LOG_RETENTION_DAYS = 30;
