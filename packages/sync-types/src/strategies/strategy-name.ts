/** The names under which metadata chooses a strategy. */
export const STRATEGY_NAMES = ['last-write-wins', 'crdt', 'manual'] as const;
export type StrategyName = (typeof STRATEGY_NAMES)[number];
