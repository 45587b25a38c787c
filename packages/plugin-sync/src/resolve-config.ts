/** The checked configuration of an object, defaults filled in. */
import {
  DEFAULT_BATCH_SIZE,
  DEFAULT_DEBOUNCE_MS,
  STRATEGIES,
  STRATEGY_NAMES,
  type Strategy,
  type StrategyName,
  SYNC_DIRECTIONS,
  type SyncConfig,
  type SyncDirection,
} from '@objectql/sync-types';
import { refuseUnknownOptions } from './check-options.js';
import { SyncUsageError } from './sync-usage-error.js';
import { duration, flag, listOf, oneOf, optional, parseOr, rule, shape, text } from './transport/wire-parser.js';

/** A configuration as the client uses it. */
export interface ObjectConfig {
  readonly isEnabled: boolean;
  readonly strategy: Strategy;
  readonly direction: SyncDirection;
  readonly debounceMs: number;
  readonly batchSize: number;
  readonly conflictFields: readonly string[] | undefined;
}

const PARSERS = {
  enabled: flag,
  strategy: optional(
    rule<StrategyName | Strategy>(
      `one of ${STRATEGY_NAMES.join(', ')}, or a function`,
      // A cast, to look up any name among the known ones.
      (value) => typeof value === 'function' || STRATEGY_NAMES.includes(value as StrategyName),
    ),
  ),
  direction: optional(oneOf(SYNC_DIRECTIONS)),
  debounce_ms: optional(duration),
  batch_size: optional(rule<number>('a positive integer', (value) => Number.isSafeInteger(value) && Number(value) > 0)),
  conflict_fields: optional(listOf(text)),
};
const parseConfig = shape<SyncConfig>(PARSERS);

/** Reads a published configuration; throws `SyncUsageError` for an unknown key or a value out of range, naming it. */
export function resolveConfig(config: SyncConfig, where = 'config'): ObjectConfig {
  refuseUnknownOptions(config, Object.keys(PARSERS), `${where}.`);
  const checked = parseOr(
    () => parseConfig(config),
    ({ path, message }) => new SyncUsageError('INVALID_CONFIG', `${where}${path} ${message}.`),
  );
  const { strategy = 'last-write-wins' } = checked;
  return {
    isEnabled: checked.enabled,
    strategy: typeof strategy === 'function' ? strategy : STRATEGIES[strategy],
    direction: checked.direction ?? 'bidirectional',
    debounceMs: checked.debounce_ms ?? DEFAULT_DEBOUNCE_MS,
    batchSize: checked.batch_size ?? DEFAULT_BATCH_SIZE,
    conflictFields: checked.conflict_fields,
  };
}
