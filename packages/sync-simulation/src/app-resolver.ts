/** The application's resolver: over a database in the store's transaction, or over a separate one. */
import { type RecordResolver, RejectionError, storeResolver } from '@objectql/protocol-sync';
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import { AppTransaction } from './app-database.js';
import type { Gate } from './gate.js';
import type { WorldPlan } from './plan.js';
import { nameOf } from './record-name.js';
import { HOOKED_FIELD } from './server-truth.js';

interface Records {
  get(name: string): JsonObject | undefined;
  put(name: string, data: JsonObject | null): void;
}

export interface AppResolverParts {
  readonly kind: WorldPlan['resolver'];
  readonly gate: Gate;
  /** The database beside the store, written at once. */
  readonly outside: Records;
  /** True while the application fails on such poison. */
  readonly isPoisonous: (data: JsonObject) => boolean;
}

/** The resolver of one server process. */
export function appResolver({ kind, gate, outside, isPoisonous }: AppResolverParts): RecordResolver {
  if (kind === 'store') return storeResolver;
  const recordsOf = (transaction: unknown) => (transaction instanceof AppTransaction ? transaction : outside);
  return {
    transactional: kind === 'transactional',
    getRecord: (objectName, recordId, { transaction }) =>
      gate.pass(() => recordsOf(transaction).get(nameOf({ objectName, recordId }))),
    applyMutation: (mutation, serverVersion, { transaction }) =>
      gate.pass(() => {
        const { data = {} } = mutation;
        if ('refused' in data) throw new RejectionError('VALIDATION', 'The application refuses this.');
        if (isPoisonous(data)) throw new Error(`The application cannot take ${mutation.id} to v${serverVersion}.`);
        return apply(mutation, recordsOf(transaction));
      }),
  };
}

/** The application's hook changes what is written to projects, and returns the record. */
function apply(mutation: MutationLogEntry, records: Records): JsonObject | undefined {
  const name = nameOf(mutation);
  if (mutation.operation === 'delete') {
    records.put(name, null);
    return undefined;
  }
  const before = mutation.operation === 'create' ? undefined : records.get(name);
  const isHooked = mutation.objectName === 'project';
  const data = { ...before, ...mutation.data, ...(isHooked ? { [HOOKED_FIELD]: 'by the hook' } : {}) };
  records.put(name, data);
  return isHooked ? data : undefined;
}
