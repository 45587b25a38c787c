/** The names under which metadata chooses a strategy. */
export const STRATEGY_NAMES = ['last-write-wins', 'crdt', 'manual'] as const;
/** `last-write-wins`, `crdt` or `manual`. */
export type StrategyName = (typeof STRATEGY_NAMES)[number];
