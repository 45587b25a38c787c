/** What both ways of applying a push have in common: in one transaction, and one by one. */
import type { SyncMutationResult } from '@objectql/sync-types';
import { isOfAnotherFeed } from '../feed/checkpoint.js';
import type { ResolverCaller } from '../records/call-resolver.js';
import type { RecordResolver } from '../records/record-resolver.js';
import { viewOf } from '../rules/authorize.js';
import type { StoreTransaction, SyncStore } from '../storage/sync-store.js';
import { andThen } from './and-then.js';
import type { JudgeRules, PlannedWrite } from './judge.js';
import type { PushItem, PushRequest } from './push-request.js';
import { loadRequestOf, PushSession } from './push-session.js';
import type { OwnWrite } from './pushed.js';
import { appliedResult } from './results.js';

/** What either way needs. */
export interface ApplyParts {
  readonly store: SyncStore;
  readonly resolver: RecordResolver;
  readonly caller: ResolverCaller;
  readonly rules: JudgeRules;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Epoch milliseconds after which no further write is started. */
  readonly deadline: number;
  readonly onFailure: (error: unknown, mutationId: string) => void;
}

/** Loads what the items need; refuses a foreign or forked log; answers `EPOCH` for a checkpoint of another feed. */
export async function openSession(
  request: PushRequest,
  items: readonly PushItem[],
  { parts, transaction }: { readonly parts: ApplyParts; readonly transaction: StoreTransaction },
): Promise<PushSession | 'EPOCH'> {
  const mutations = items.flatMap((item) => ('mutation' in item ? [item.mutation] : []));
  const asked = loadRequestOf(request, mutations);
  const loaded = await transaction.load(asked);
  if (request.checkpoint && isOfAnotherFeed(request.checkpoint, loaded.facts)) return 'EPOCH';
  const session = new PushSession(request, { asked, loaded }, parts.now());
  session.refuseForeignLog(parts.rules.principal?.id ?? null, mutations);
  return session;
}

/** Why a mutation is not even tried now, if there is a reason. */
export function waitingReason(parts: ApplyParts, isHeld: boolean): string | undefined {
  if (isHeld) return 'An earlier change of this record waits for another try; this one follows it.';
  if (parts.now() > parts.deadline) return 'The server had no time left for this one. Send it again.';
  return undefined;
}

/** The result of a write that was made, with the record where the client cannot know it and may. */
export function describeWrite(
  write: PlannedWrite,
  { state, computable }: OwnWrite,
  rules: JudgeRules,
): SyncMutationResult | Promise<SyncMutationResult> {
  // What the writer may not read any more goes from their device, as if it were gone.
  return andThen(rules.authorize.read ? viewOf(state, rules) : state.data, (view) =>
    appliedResult(write.mutation.id, {
      serverVersion: state.version,
      record: view === undefined ? null : computable ? undefined : view,
      droppedFields: write.droppedFields,
    }),
  );
}
