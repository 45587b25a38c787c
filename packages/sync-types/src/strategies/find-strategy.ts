/** Finds the strategy for a configured name, or for a function of your own. */
import { crdt } from './crdt.js';
import { lastWriteWins } from './last-write-wins.js';
import { manual } from './manual.js';
import type { Strategy } from './strategy.js';
import { STRATEGY_NAMES, type StrategyName } from './strategy-name.js';

/** The strategies by their names. */
export const STRATEGIES: Readonly<Record<StrategyName, Strategy>> = {
  'last-write-wins': lastWriteWins,
  crdt,
  manual,
};

/** The strategy of that name; a function is its own strategy. Throws for an unknown name, and lists the known ones. */
export function findStrategy(strategy: StrategyName | Strategy): Strategy {
  if (typeof strategy === 'function') return strategy;
  if (!Object.hasOwn(STRATEGIES, strategy)) {
    throw new TypeError(`"${strategy}" is not a conflict strategy. Use ${STRATEGY_NAMES.join(', ')} or a function.`);
  }
  return STRATEGIES[strategy];
}
