/** A record as the data engine names it. */
import type { RecordRef } from '@objectql/sync-types';

export interface EngineRef extends RecordRef {
  readonly recordId: string;
}

/** Why a record with a placeholder for its id is not synced with the engine. */
export function placeholderError({ objectName, recordId }: RecordRef): Error {
  const problem = 'an id in braces is a placeholder to ObjectStack';
  return new Error(`${objectName} ${recordId} is not synced with the data engine: ${problem}. Give it another id.`);
}
