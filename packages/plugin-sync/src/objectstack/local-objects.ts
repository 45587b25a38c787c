/** The objects of the local data engine in which sync notes what it must not forget. */
import type { DataEngine } from '@objectql/sync-types/kernel';

/** Writes of the application that are committed and not yet recorded as mutations. */
export const OUTBOX = 'objectstack_sync_outbox';
/** The records that sync knows: they came from the server, or were recorded. */
export const KNOWN = 'objectstack_sync_known';

const text = { type: 'text' } as const;
const long = { type: 'textarea' } as const;

const DEFINITIONS = [
  object(OUTBOX, 'Sync outbox', {
    mutation_id: text,
    object_name: text,
    record_id: long,
    operation: text,
    data: long,
  }),
  object(KNOWN, 'Known to sync', { object_name: text, record_id: long }),
] as const;

/** Defines the objects where they are not defined yet; the engine makes their tables when it starts. */
export function defineLocalObjects({ registry }: DataEngine): void {
  for (const definition of DEFINITIONS) {
    if (!registry.getObject(definition.name)) registry.registerObject(definition, '@objectql/plugin-sync');
  }
}

/** An object that only the system reads and writes, without the fields ObjectStack adds to others. */
function object(name: string, label: string, types: Readonly<Record<string, object>>) {
  const fields = Object.entries(types).map(([field, type]) => [field, { name: field, label: field, ...type }]);
  return {
    name,
    label,
    isSystem: true,
    managedBy: 'engine-owned',
    ownership: 'none',
    systemFields: false,
    tenancy: { enabled: false },
    access: { default: 'private' },
    enable: { apiEnabled: false, trackHistory: false, searchable: false },
    fields: Object.fromEntries(fields),
  };
}
