/** What both ways of applying a push share: in one transaction, and one by one. */
import type { SyncMutationResult } from '@objectql/sync-types';
import { isOfAnotherFeed } from '../feed/checkpoint.js';
import type { ResolverCaller } from '../records/call-resolver.js';
import { type RecordResolver, RejectionError } from '../records/record-resolver.js';
import { isWhole, viewOf } from '../rules/authorize.js';
import type { StoreTransaction, SyncStore } from '../storage/sync-store.js';
import { andThen } from './and-then.js';
import type { JudgeRules, PlannedWrite } from './judge.js';
import type { PushItem, PushRequest } from './push-request.js';
import { loadRequestOf, PushSession } from './push-session.js';
import type { OwnWrite } from './pushed.js';
import { appliedResult, type Rejection } from './results.js';

/** What both ways need. */
export interface ApplyParts {
  readonly store: SyncStore;
  readonly resolver: RecordResolver;
  readonly caller: ResolverCaller;
  readonly rules: JudgeRules;
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Epoch milliseconds after which no further write is started. */
  readonly deadline: number;
  /** To be called between mutations, and what it answers awaited: lets others have their turn. */
  readonly giveWay: () => Promise<void> | undefined;
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
  const session = new PushSession(request, { principal: principalOf(parts), asked, loaded }, parts.now());
  session.refuseForeignLog(mutations);
  return session;
}

/** Why a mutation of a record is not tried now while an earlier one waits. */
export const HELD: Rejection = {
  code: 'BUSY',
  reason: 'An earlier change of this record waits for another try; this one follows it.',
};

/** A write that was made, and its result. */
export interface DescribedWrite {
  readonly result: SyncMutationResult;
  readonly written: OwnWrite;
}

/** Describes a write that was made. The result shows the record if the client cannot compute it and may read it. */
export function describeWrite(
  write: PlannedWrite,
  made: OwnWrite,
  rules: JudgeRules,
): DescribedWrite | Promise<DescribedWrite> {
  const { state } = made;
  return andThen(rules.authorize.read ? viewOf(state, rules) : state.data, (view) => {
    // Otherwise the writer's device would go on showing what they wrote in a field that they may not read.
    const written = isWhole(view, state.data) ? made : { state, computable: false };
    // A record that the writer may no longer read is removed from their device, as if it were deleted.
    const record = view === undefined ? null : written.computable ? undefined : view;
    const { droppedFields } = write;
    return {
      result: appliedResult(write.mutation.id, { serverVersion: state.version, record, droppedFields }),
      written,
    };
  });
}

/** What the client is told of a failed write: the resolver's refusal, or that another try may help. The operator learns why. */
export function rejectionOf(error: unknown, mutationId: string, { onFailure }: ApplyParts): Rejection {
  const rejection: Rejection =
    error instanceof RejectionError
      ? { code: error.code, reason: error.message }
      : { code: 'INTERNAL', reason: 'The server could not make this change. It is kept and tried again.' };
  if (rejection.code === 'INTERNAL') onFailure(error, mutationId);
  return rejection;
}

/** Who is asking; `null` where nobody is authenticated. */
export function principalOf({ rules }: Pick<ApplyParts, 'rules'>): string | null {
  return rules.principal?.id ?? null;
}
