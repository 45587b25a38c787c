/** What one server accepts and sends; the defaults are the protocol's. */
import {
  MAX_BODY_BYTES,
  MAX_MUTATIONS,
  MAX_PAGE_BYTES,
  MAX_PAGE_RECORDS,
  MAX_RECORD_BYTES,
  type SyncLimits,
} from '@objectql/sync-types';

/** The upper limits of a server; each may be lowered or raised. */
export interface ServerLimits extends SyncLimits {
  /** Bytes of one record as JSON. */
  readonly maxRecordBytes: number;
  /** Records in one page of changes. */
  readonly maxPageRecords: number;
  /** Bytes of one page of changes; a single larger record is sent alone. */
  readonly maxPageBytes: number;
  /** Milliseconds a resolver may take for one write. */
  readonly resolverTimeoutMs: number;
  /** Milliseconds after which a push starts no further write, so that its answer comes within the request timeout. */
  readonly pushBudgetMs: number;
}

/** 10 s for one write: far above any healthy database, and below the client's 30 s. */
const RESOLVER_TIMEOUT_MS = 10_000;
/** 15 s: with one last slow write the answer still comes within the client's 30 s. */
const PUSH_BUDGET_MS = 15_000;

/** The limits that apply when none are given. */
export const DEFAULT_LIMITS: ServerLimits = {
  maxBodyBytes: MAX_BODY_BYTES,
  maxMutations: MAX_MUTATIONS,
  maxRecordBytes: MAX_RECORD_BYTES,
  maxPageRecords: MAX_PAGE_RECORDS,
  maxPageBytes: MAX_PAGE_BYTES,
  resolverTimeoutMs: RESOLVER_TIMEOUT_MS,
  pushBudgetMs: PUSH_BUDGET_MS,
};

/** The defaults, changed by what the application sets. Throws for an unknown name or a number that is not positive. */
export function resolveLimits(limits: Partial<ServerLimits> = {}): ServerLimits {
  for (const [name, value] of Object.entries(limits)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new TypeError(`limits.${name} is unknown. Known: ${Object.keys(DEFAULT_LIMITS).join(', ')}.`);
    }
    if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`limits.${name} must be a positive integer.`);
  }
  return { ...DEFAULT_LIMITS, ...limits };
}
