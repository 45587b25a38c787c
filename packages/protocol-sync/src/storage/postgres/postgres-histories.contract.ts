/** What clients do to servers on one database, and how the network between them and it fails, drawn at random. */
import fc from 'fast-check';
import type { NetworkFault } from './faulty-proxy.fixture.js';

export const CLIENTS = 3;
export const READERS = 2;
const PROCESSES = 3;

/** A write of a record that all clients write, or that only this one writes. */
export interface Draft {
  readonly operation: 'create' | 'update' | 'delete';
  readonly isShared: boolean;
  readonly letter: 'a' | 'b';
  /** By the resolver, if there is one. */
  readonly isRefused: boolean;
}

/** Where somebody else holds a lock. */
export type Held = 'feed' | 'logs' | 'records' | 'turn to prune';

export type Step =
  /** To several processes at the same time, which may be one twice. */
  | {
      readonly kind: 'push';
      readonly client: number;
      readonly processes: readonly number[];
      readonly drafts: readonly Draft[];
    }
  /** Of what was pushed at some time. */
  | { readonly kind: 'push again'; readonly client: number; readonly process: number; readonly nth: number }
  | { readonly kind: 'pull'; readonly reader: number; readonly process: number; readonly limit: number }
  | { readonly kind: 'prune' | 'change epoch' | 'restart'; readonly process: number };

/** Steps at the same time, each tried that often before the network heals and the locks are given back. */
export interface Turn {
  readonly steps: readonly Step[];
  readonly faults: readonly (NetworkFault & { readonly process: number })[];
  readonly held: readonly Held[];
  readonly tries: number;
}

export interface History {
  /** The connections that each process may have. */
  readonly pools: readonly number[];
  /** Whether writes go to an application's table in the transaction. */
  readonly isTransactional: boolean;
  /** Whether `pg` sends each statement at once, and lends its connection to nobody. */
  readonly isPipelined: boolean;
  readonly turns: readonly Turn[];
}

const process = fc.nat(PROCESSES - 1);
const client = fc.nat(CLIENTS - 1);
const draft: fc.Arbitrary<Draft> = fc.record({
  operation: fc.constantFrom('create', 'update', 'delete'),
  isShared: fc.boolean(),
  letter: fc.constantFrom('a', 'b'),
  isRefused: fc.nat(7).map((n) => n === 0),
});
const push: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('push' as const),
  client,
  processes: fc.array(process, { minLength: 1, maxLength: 2 }),
  drafts: fc.array(draft, { minLength: 1, maxLength: 4 }),
});
const pushAgain: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('push again' as const),
  client,
  process,
  nth: fc.nat(20),
});
const pull: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('pull' as const),
  reader: fc.nat(READERS - 1),
  process,
  limit: fc.integer({ min: 1, max: 3 }),
});
const other: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('prune' as const, 'prune' as const, 'change epoch' as const, 'restart' as const),
  process,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: push },
  { weight: 2, arbitrary: pushAgain },
  { weight: 4, arbitrary: pull },
  { weight: 4, arbitrary: other },
);

/** 25 messages are what a few pushes make, and 3 commits. */
const message = fc.oneof(
  { weight: 1, arbitrary: fc.record({ isOfCommits: fc.constant(false), nth: fc.integer({ min: 1, max: 25 }) }) },
  { weight: 2, arbitrary: fc.record({ isOfCommits: fc.constant(true), nth: fc.integer({ min: 1, max: 3 }) }) },
);
const fault: fc.Arbitrary<NetworkFault & { readonly process: number }> = fc
  .record({
    process,
    way: fc.constantFrom('up' as const, 'down' as const),
    message,
    does: fc.oneof(
      fc.constantFrom('cut before' as const, 'cut within' as const, 'cut behind' as const),
      fc.constantFrom('stall' as const, 'stall all' as const, 'silence' as const),
      fc.constantFrom('refuse' as const, 'terminate' as const, 'terminate' as const),
    ),
  })
  .map(({ message: { isOfCommits, nth }, ...drawn }) => ({ ...drawn, isOfCommits, nth }));
const turn: fc.Arbitrary<Turn> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 9 }),
  faults: fc.array(fault, { minLength: 1, maxLength: 5 }),
  held: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.constantFrom<Held>('feed', 'logs', 'records', 'turn to prune').map((one) => [one]) },
  ),
  tries: fc.integer({ min: 1, max: 3 }),
});

export const histories: fc.Arbitrary<History> = fc.record({
  pools: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: PROCESSES, maxLength: PROCESSES }),
  isTransactional: fc.boolean(),
  isPipelined: fc.nat(3).map((n) => n === 0),
  turns: fc.array(turn, { minLength: 1, maxLength: 5 }),
});
