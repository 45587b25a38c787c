/** The record and the mutations that the tests of `decide` are about. */
import type { MutationLogEntry } from '@objectql/sync-types';

export const task = { objectName: 'task', recordId: 't1' } as const;

export function mutation(parts: Partial<MutationLogEntry> = {}): MutationLogEntry {
  return {
    ...task,
    id: 'm1',
    operation: 'update',
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId: 'c1',
    sequence: 1,
    baseVersion: null,
    ...parts,
  };
}
