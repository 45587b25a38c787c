/** Data that the application fails on, for a while or for ever. */
import type { JsonObject } from '@objectql/sync-types';

/** True for poison that never passes, one in six. */
export function isLastingPoison({ poison }: JsonObject = {}): boolean {
  return typeof poison === 'number' && poison % 6 === 0;
}
