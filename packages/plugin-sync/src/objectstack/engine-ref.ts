/** A record as the data engine names it. */
import type { RecordRef } from '@objectql/sync-types';
import { shares } from '@objectql/sync-types/kernel';

export interface EngineRef extends RecordRef {
  readonly recordId: string;
}

/** Why a record with a placeholder for its id is not synced with the engine. */
export function placeholderError({ objectName, recordId }: RecordRef): Error {
  const problem = 'an id in braces is a placeholder to ObjectStack';
  return new Error(`${objectName} ${recordId} is not synced with the data engine: ${problem}. Give it another id.`);
}

/** Records of one object. */
export interface ObjectShare {
  readonly objectName: string;
  readonly refs: readonly EngineRef[];
}

/** These records by object, in their order, in shares of at most `size`. */
export function* sharesByObject(all: readonly EngineRef[], size: number): Generator<ObjectShare> {
  for (const objectName of new Set(all.map((ref) => ref.objectName))) {
    const ofObject = all.filter((ref) => ref.objectName === objectName);
    for (const refs of shares(ofObject, size)) yield { objectName, refs };
  }
}
