/** The options of a server, and their defaults. */
import { CHANGE_LOG_RETENTION_DAYS, type Strategy, type StrategyName } from '@objectql/sync-types';
import { type Platform, systemPlatform } from './platform/platform.js';
import { messageOf, printSparingly } from './print-sparingly.js';
import { type RecordResolver, storeResolver } from './records/record-resolver.js';
import { FUNCTION_KIND, type OptionKinds, RESOLVER_KIND, refuseWrongOptions } from './refuse-wrong-options.js';
import type { Authorize } from './rules/authorize.js';
import { boundAuthorize } from './rules/bounded-authorize.js';
import { type ObjectConfigs, readObjectConfigs } from './rules/object-configs.js';
import { type ObjectRules, objectRules } from './rules/object-rules.js';
import { resolveLimits, type ServerLimits } from './server-limits.js';
import { MemoryStore } from './storage/memory/memory-store.js';
import type { SyncStore } from './storage/sync-store.js';
import { tellOrPrint } from './tell-or-print.js';

/** Something an operator should know; no request failed because of it. */
export interface SyncWarning {
  readonly code: 'WRITE_FAILED' | 'CHECKPOINT_AHEAD' | 'WATCHER_FAILED';
  readonly message: string;
  readonly cause?: unknown;
}

/** What a server serves and how it decides. Unknown options throw `TypeError`. */
export interface SyncHandlerOptions {
  /** Where versions, feed and ledger are kept. Default: memory, gone with the process. */
  readonly store?: SyncStore | undefined;
  /** Reads and writes the application's records. Default: they are kept in the sync store itself. */
  readonly resolver?: RecordResolver | undefined;
  /**
   * Each object's `sync` block: `{ task: { enabled: true } }`, or as read from `*.object.yml`. Objects not named here
   * are not synced. Default: every object is.
   */
  readonly objects?: ObjectConfigs | undefined;
  /** Decides conflicts of objects without a strategy of their own. Without it, the clients decide. */
  readonly strategy?: StrategyName | Strategy | undefined;
  /**
   * For objects whose `sync` block names none, the fields that count as conflicting: `new Map([['task', ['title']]])`.
   * Default: all.
   */
  readonly conflictFields?: ReadonlyMap<string, readonly string[]> | undefined;
  /** Who may read and write what. Default: everything is allowed. */
  readonly authorize?: Authorize | undefined;
  /** Limits to lower or raise. Default: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<ServerLimits> | undefined;
  /** Days for which deletes and outcomes are remembered. A device away for longer walks the feed anew. Default 30. */
  readonly changeLogRetentionDays?: number | undefined;
  /** Clock, ids and timers, for tests. Default: the system's. */
  readonly platform?: Platform | undefined;
  /**
   * Told what an operator should know. Default: `console.warn`, with warnings of the same trouble printed once in 10 s.
   */
  readonly onWarning?: ((warning: SyncWarning) => void) | undefined;
}

const OPTIONS: OptionKinds<SyncHandlerOptions> = {
  store: { methods: ['open', 'transaction', 'page'], expected: 'a store, e.g. new SqliteStore(database)' },
  resolver: RESOLVER_KIND,
  objects: true,
  strategy: true,
  conflictFields: true,
  authorize: true,
  limits: true,
  changeLogRetentionDays: true,
  onWarning: FUNCTION_KIND,
  platform: true,
};
const MS_PER_DAY = 24 * 60 * 60 * 1000;

/** The options with every default filled in, in the form the handler works with. */
export interface HandlerSettings {
  readonly store: SyncStore;
  readonly resolver: RecordResolver;
  readonly platform: Platform;
  readonly limits: ServerLimits;
  /** The application's rules, with a time limit. */
  readonly authorize: Authorize;
  /** The objects that are served now, which may be known only after the handler is made; `undefined` means all. */
  readonly syncedObjects: () => readonly string[] | undefined;
  readonly rulesOf: (objectName: string) => ObjectRules | undefined;
  readonly retentionMs: number;
  readonly onWarning: (warning: SyncWarning) => void;
}

/** Throws `TypeError` for an option that is unknown or makes no sense. */
export function settingsOf(options: SyncHandlerOptions): HandlerSettings {
  refuseWrongOptions(options, OPTIONS, 'SyncHandler: ');
  const platform = options.platform ?? systemPlatform;
  const limits = resolveLimits(options.limits);
  const objects = options.objects && readObjectConfigs(options.objects);
  return {
    store: options.store ?? new MemoryStore(),
    resolver: options.resolver ?? storeResolver,
    platform,
    limits,
    authorize: boundAuthorize(options.authorize ?? {}, { platform, timeoutMs: limits.resolverTimeoutMs }),
    syncedObjects: () => objects && [...objects].filter(([, { enabled }]) => enabled).map(([objectName]) => objectName),
    rulesOf: objectRules({ ...options, objects }),
    retentionMs: retentionMs(options.changeLogRetentionDays ?? CHANGE_LOG_RETENTION_DAYS),
    onWarning: tellOrPrint(options.onWarning, printSparingly(printWarning, likenessOfWarning, platform)),
  };
}

/** Equal for warnings of the same trouble; their messages differ, as each names one client or mutation. */
export function likenessOfWarning({ code, cause }: SyncWarning): string {
  return `${code} ${messageOf(cause)}`;
}

function printWarning({ code, message, cause }: SyncWarning, more: readonly string[]): void {
  // biome-ignore lint/suspicious/noConsole: a resolver that fails at each write must be found by who has not asked to be told.
  console.warn('@objectql/protocol-sync:', `${code}: ${message}`, ...(cause === undefined ? [] : [cause]), ...more);
}

function retentionMs(days: number): number {
  if (!(days > 0)) throw new TypeError(`changeLogRetentionDays must be a positive number of days, not ${days}.`);
  return Math.round(days * MS_PER_DAY);
}
