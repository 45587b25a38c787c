/** One object's sync configuration, as written in metadata and in options. */
import type { Strategy } from './strategies/strategy.js';
import type { StrategyName } from './strategies/strategy-name.js';

/** The direction of an object's changes; `bidirectional` by default. */
export const SYNC_DIRECTIONS = ['bidirectional', 'push-only', 'pull-only'] as const;
/** One of `SYNC_DIRECTIONS`. */
export type SyncDirection = (typeof SYNC_DIRECTIONS)[number];

/** How one object takes part in sync. The spelling is that of `*.object.yml`. */
export interface SyncConfig {
  /** Whether the object takes part at all. */
  readonly enabled: boolean;
  /** Who wins when two clients wrote the same field. A function is a strategy of your own. Default `last-write-wins`. */
  readonly strategy?: StrategyName | Strategy | undefined;
  /** Default `bidirectional`. */
  readonly direction?: SyncDirection | undefined;
  /** Milliseconds of quiet before recorded mutations are sent. Default 1000. */
  readonly debounce_ms?: number | undefined;
  /** Mutations of this object in one push. Default 1000. */
  readonly batch_size?: number | undefined;
  /** Fields that count as conflicting; time decides the others. Without a list, all fields count. */
  readonly conflict_fields?: readonly string[] | undefined;
}

/** 1 s: long enough to gather what one gesture changes, short enough to feel immediate. */
export const DEFAULT_DEBOUNCE_MS = 1000;
/** 1,000 mutations: what a server accepts by default; one that accepts fewer says so in each answer. */
export const DEFAULT_BATCH_SIZE = 1000;
