/** The objects in which the data engine keeps sync's state, beside the application's own. */
import { type DataEngine, defineSystemObjects, PROBE_OBJECT, systemObject } from '@objectql/sync-types/kernel';

export const FEED = 'objectstack_sync_feed';
export const RECORDS = 'objectstack_sync_record';
export const LEDGER = 'objectstack_sync_ledger';
export const LOGS = 'objectstack_sync_log';
export const INTENTS = 'objectstack_sync_intent';
export const EPOCHS = 'objectstack_sync_epoch';
export const ENROLMENTS = 'objectstack_sync_enrolment';

/** Raised when the columns change in a way that an older release cannot read. */
export const SCHEMA_VERSION = 1;

const PACKAGE = '@objectql/protocol-sync';

/** At most 255 characters, so it can be indexed on every database. */
const short = { type: 'text' } as const;
const long = { type: 'textarea' } as const;

/**
 * Ids are digests, because a record's name may be longer than a key. Numbers are texts of 16 digits, because the engine
 * has no type that is a 64-bit integer on every database; digits sort alike everywhere.
 */
export const ENGINE_OBJECTS = [
  systemObject(FEED, 'Sync feed', {
    fields: { epoch: short, head: short, floor: short, version_floor: short, schema_version: short },
  }),
  systemObject(RECORDS, 'Sync record', {
    fields: {
      object_name: short,
      record_id: long,
      place: short,
      version: short,
      changed_at: short,
      deleted_at: short,
      data: long,
      bookkeeping: long,
    },
    indexes: [
      { fields: ['place'], unique: 'global' },
      { fields: ['object_name', 'place'] },
      { fields: ['deleted_at'] },
    ],
  }),
  systemObject(LEDGER, 'Sync ledger', {
    fields: {
      mutation_id: long,
      log_id: long,
      log_key: short,
      sequence: short,
      object_name: long,
      record_id: long,
      content_hash: long,
      outcome: long,
      made_at: short,
    },
    indexes: [{ fields: ['log_key', 'sequence'], unique: 'global' }, { fields: ['made_at'] }],
  }),
  systemObject(LOGS, 'Sync log', { fields: { log_id: long, principal: long, floor: short, last_time: short } }),
  systemObject(EPOCHS, 'Sync epoch', {
    fields: { epoch: short, last_place: short },
    indexes: [{ fields: ['last_place'] }],
  }),
  systemObject(INTENTS, 'Sync intent', { fields: { intent: long } }),
  systemObject(ENROLMENTS, 'Sync enrolment', {
    fields: { object_name: long, step: short, after: long, shape: short },
  }),
  PROBE_OBJECT,
];

/** Defines the objects that are not defined yet; the engine makes their tables when it starts. */
export function defineEngineObjects(engine: DataEngine): void {
  defineSystemObjects(engine, ENGINE_OBJECTS, PACKAGE);
}

/** Makes the tables that are missing. */
export async function makeEngineTables(engine: DataEngine): Promise<void> {
  defineEngineObjects(engine);
  for (const { name } of ENGINE_OBJECTS) await engine.syncObjectSchema(name);
}
