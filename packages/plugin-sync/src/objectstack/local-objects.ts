/** The objects in which sync keeps its notes in the local data engine. */
import { type DataEngine, defineSystemObjects, PROBE_OBJECT, systemObject } from '@objectql/sync-types/kernel';

/** Writes of the application that are committed and not yet recorded as mutations. */
export const OUTBOX = 'objectstack_sync_outbox';
/** The records that sync knows: they came from the server, or were recorded. */
export const KNOWN = 'objectstack_sync_known';

const text = { type: 'text' } as const;
const long = { type: 'textarea' } as const;

const DEFINITIONS = [
  systemObject(OUTBOX, 'Sync outbox', {
    fields: {
      mutation_id: text,
      noted_at: text,
      noted_for: text,
      object_name: text,
      record_id: long,
      operation: text,
      data: long,
      base: text,
    },
  }),
  systemObject(KNOWN, 'Known to sync', {
    // No longer than 128 bytes, as it was recorded: MySQL indexes no longer kind of text.
    fields: { object_name: text, record_id: text },
    indexes: [{ fields: ['object_name', 'record_id'] }],
  }),
  PROBE_OBJECT,
] as const;

/** Defines these objects if they are not defined yet; the engine makes their tables when it starts. */
export function defineLocalObjects(engine: DataEngine): void {
  defineSystemObjects(engine, DEFINITIONS, '@objectql/plugin-sync');
}
