/** What the application cannot take: it fails over such a mutation, for a while or for ever. */
import type { JsonObject } from '@objectql/sync-types';

/** True for poison that never passes, one in six. */
export function isLastingPoison({ poison }: JsonObject = {}): boolean {
  return typeof poison === 'number' && poison % 6 === 0;
}
