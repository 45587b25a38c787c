/** Values for tests of storages: complete, and different wherever a test says so. */
import type { MutationLogEntry } from '@objectql/sync-types';
import type { BaseRecord, ClientMeta, DeadLetter, ParkedConflict, StoredEntry } from '../client-storage.js';

export function sampleMeta(changed: Partial<ClientMeta> = {}): ClientMeta {
  return {
    logId: 'log-1',
    nextSequence: 1,
    checkpoint: null,
    walk: null,
    user: null,
    epochs: 0,
    revision: 0,
    ...changed,
  };
}

export function sampleMutation(changed: Partial<MutationLogEntry> = {}): MutationLogEntry {
  return {
    id: 'mutation-1',
    objectName: 'task',
    recordId: 'task-1',
    operation: 'update',
    data: { title: 'Write tests' },
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId: 'device-1',
    sequence: 1,
    baseVersion: 3,
    ...changed,
  };
}

/** The entry of a mutation with this id and sequence. */
export function sampleEntry(id: string, sequence = 1): StoredEntry {
  return { mutation: sampleMutation({ id, sequence }), round: 0, tries: 0 };
}

export function sampleRecord(changed: Partial<BaseRecord> = {}): BaseRecord {
  return { objectName: 'task', recordId: 'task-1', version: 1, data: { title: 'A task' }, walk: null, ...changed };
}

export function sampleConflict(id: string, parkedAt = 1): ParkedConflict {
  const clientMutation = sampleMutation({ id });
  const { objectName, recordId } = clientMutation;
  const serverRecord = { title: 'Theirs' };
  return {
    id,
    parkedAt,
    conflict: { objectName, recordId, clientMutation, serverRecord, conflictingFields: ['title'] },
  };
}

export function sampleDeadLetter(id: string, deadAt = 1): DeadLetter {
  return { id, mutation: sampleMutation({ id }), code: 'FORBIDDEN', reason: 'not yours', deadAt };
}
