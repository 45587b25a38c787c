/** What the server knows of each object: whether it is synced, and how its conflicts are decided. */
import { findStrategy, type Strategy, type StrategyName, type SyncConfig } from '@objectql/sync-types';
import type { ConflictRules } from '../push/decide.js';
import { checkedStrategy } from './checked-strategy.js';

export interface ObjectRules extends ConflictRules {
  /** Tells the client in a conflict which strategy decided; absent if the client decides. */
  readonly strategyName?: StrategyName | 'custom' | undefined;
}

export interface ObjectRulesOptions {
  readonly objects?: ReadonlyMap<string, SyncConfig> | undefined;
  readonly strategy?: StrategyName | Strategy | undefined;
  readonly conflictFields?: ReadonlyMap<string, readonly string[]> | undefined;
}

/**
 * Answers an object's rules, `undefined` if it is not synced. Throws `TypeError` for an option that makes no sense.
 */
export function objectRules(options: ObjectRulesOptions): (objectName: string) => ObjectRules | undefined {
  const { objects, conflictFields } = options;
  if (options.strategy) findStrategy(options.strategy);
  checkConflictFields(conflictFields);
  return (objectName) => {
    const config = objects?.get(objectName);
    if (objects && !config?.enabled) return undefined;
    const strategy = config?.strategy ?? options.strategy;
    return {
      strategy: typeof strategy === 'function' ? checkedStrategy(strategy) : strategy && findStrategy(strategy),
      strategyName: typeof strategy === 'function' ? 'custom' : strategy,
      conflictFields: config?.conflict_fields ?? conflictFields?.get(objectName),
    };
  };
}

function checkConflictFields(conflictFields: unknown): void {
  if (conflictFields === undefined) return;
  if (!(conflictFields instanceof Map)) {
    throw new TypeError("conflictFields must be a Map, e.g. new Map([['task', ['title', 'status']]]).");
  }
  for (const [objectName, fields] of conflictFields) {
    const isList = Array.isArray(fields) && fields.every((field) => typeof field === 'string');
    if (!isList) throw new TypeError(`conflictFields must list field names for ${objectName}.`);
  }
}
