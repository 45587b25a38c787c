/**
 * What the caller may read can change while a push is handled: by its own writes, or because a right is taken away. The
 * results must then show nothing of the record, not even its earlier state.
 */
import { recordKey, type SyncMutationResult } from '@objectql/sync-types';
import { viewOf } from '../rules/authorize.js';
import type { RecordState } from '../storage/sync-store.js';
import type { JudgeRules } from './judge.js';
import type { PushRequest } from './push-request.js';
import { goneConflictResult } from './results.js';

interface Answered {
  /** In the order of the request. */
  readonly results: readonly SyncMutationResult[];
  /** The records they are about; when one record has two states, the later one stands last. */
  readonly seen: readonly RecordState[];
}

/** The results as the caller may see them now; a record that they may no longer read is reported as gone. */
export async function hideUnreadable(
  { items }: Pick<PushRequest, 'items'>,
  { results, seen }: Answered,
  rules: Pick<JudgeRules, 'authorize' | 'principal'>,
): Promise<readonly SyncMutationResult[]> {
  if (!rules.authorize.read) return results;
  const lastByKey = new Map(seen.map((state) => [recordKey(state), state]));
  // All at once, so that rules which query a database can use one query for the whole push.
  const views = await Promise.all(
    [...lastByKey].map(async ([key, state]) => ({ key, view: await viewOf(state, rules) })),
  );
  const hidden = new Set(views.flatMap(({ key, view }) => (view === undefined ? [key] : [])));
  return results.map((result, index) => {
    const item = items[index];
    return item && 'mutation' in item && hidden.has(recordKey(item.mutation)) ? withoutRecord(result) : result;
  });
}

function withoutRecord(result: SyncMutationResult): SyncMutationResult {
  if (result.status === 'conflict') return goneConflictResult(result.conflict.clientMutation.id);
  return result.status === 'applied' ? { ...result, record: null } : result;
}
