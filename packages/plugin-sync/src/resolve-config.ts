/** The checked configuration of an object, defaults filled in. */
import {
  DEFAULT_BATCH_SIZE,
  DEFAULT_DEBOUNCE_MS,
  STRATEGY_NAMES,
  type Strategy,
  type StrategyName,
  SYNC_DIRECTIONS,
  type SyncConfig,
  type SyncDirection,
} from '@objectql/sync-types';
import { SyncUsageError } from './sync-usage-error.js';

/** A configuration as the client works with it. */
export interface ObjectConfig {
  readonly isEnabled: boolean;
  readonly strategy: StrategyName | Strategy;
  readonly direction: SyncDirection;
  readonly debounceMs: number;
  readonly batchSize: number;
  readonly conflictFields: readonly string[] | undefined;
}

const KEYS: readonly string[] = [
  'enabled',
  'strategy',
  'direction',
  'debounce_ms',
  'batch_size',
  'conflict_fields',
] satisfies readonly (keyof SyncConfig)[];

/** Reads a published configuration; throws `SyncUsageError` for an unknown key or a value out of range, naming it. */
export function resolveConfig(config: SyncConfig, where = 'config'): ObjectConfig {
  const unknown = Object.keys(config).find((key) => !KEYS.includes(key));
  if (unknown) refuse(`${where}.${unknown} is unknown. Known: ${KEYS.join(', ')}`);
  const {
    enabled,
    strategy = 'last-write-wins',
    direction = 'bidirectional',
    debounce_ms: debounceMs = DEFAULT_DEBOUNCE_MS,
    batch_size: batchSize = DEFAULT_BATCH_SIZE,
    conflict_fields: conflictFields,
  } = config;
  if (typeof enabled !== 'boolean') refuse(`${where}.enabled must be true or false`);
  if (typeof strategy !== 'function' && !STRATEGY_NAMES.includes(strategy)) {
    refuse(`${where}.strategy must be one of ${STRATEGY_NAMES.join(', ')}, or a function`);
  }
  if (!SYNC_DIRECTIONS.includes(direction)) refuse(`${where}.direction must be one of ${SYNC_DIRECTIONS.join(', ')}`);
  if (!Number.isFinite(debounceMs) || debounceMs < 0) refuse(`${where}.debounce_ms must be 0 or more milliseconds`);
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) refuse(`${where}.batch_size must be a positive integer`);
  if (conflictFields !== undefined && !Array.isArray(conflictFields)) refuse(`${where}.conflict_fields must be a list`);
  return {
    isEnabled: enabled,
    strategy,
    direction,
    debounceMs,
    batchSize,
    conflictFields,
  };
}

function refuse(problem: string): never {
  throw new SyncUsageError('INVALID_CONFIG', `${problem}.`);
}
