/** The application's records in ObjectStack's data engine, as sync reads and writes them. */
import {
  type JsonObject,
  type MutationLogEntry,
  ownValue,
  type RecordId,
  type RecordRef,
  recordKey,
} from '@objectql/sync-types';
import {
  AS_SYSTEM,
  type DataEngine,
  type EngineContext,
  type EngineOptions,
  type EngineRow,
  isPlaceholderId,
  STORED_FILES,
  shares,
} from '@objectql/sync-types/kernel';
import type { Principal } from '../principal.js';
import { type RecordResolver, RejectionError, toFields, type WriteContext } from '../records/record-resolver.js';
import { isDenied, isNotFound, toRejection } from './engine-error.js';
import { NAMED_IDS } from './statement-share.js';

/**
 * The engine's context of a principal: its id, and the `context` it was authenticated with. The id is set even if the
 * engine does not know it: a context without a user belongs to nobody, and the engine refuses nobody nothing.
 */
export function contextOf(principal: Principal | null): EngineContext {
  if (!principal) return {};
  const { id, context } = principal;
  return { userId: id, ...(typeof context === 'object' ? context : {}) };
}

/**
 * Writes what clients push through the engine, as the user who pushed it: validation, hooks, defaults and permissions
 * apply. Its writes join the `EngineStore` transaction in which it is called.
 *
 * Record ids are strings: the engine turns every id into a string, and to sync `7` and `'7'` are two records.
 */
export class EngineRecords implements RecordResolver {
  readonly transactional = true;
  readonly #engine: DataEngine;
  readonly #hasTouched: (ref: RecordRef) => boolean;

  /** `hasTouched` tells of a record whether something has written it in the transaction under way. */
  constructor(engine: DataEngine, hasTouched: (ref: RecordRef) => boolean = () => false) {
    this.#engine = engine;
    this.#hasTouched = hasTouched;
  }

  async getRecord(objectName: string, recordId: RecordId): Promise<JsonObject | undefined> {
    return (await this.readAll([{ objectName, recordId }], AS_SYSTEM)).get(recordKey({ objectName, recordId }));
  }

  async applyMutation(
    mutation: MutationLogEntry,
    serverVersion: number,
    context: WriteContext,
  ): Promise<JsonObject | undefined> {
    const { objectName, recordId } = mutation;
    if (typeof recordId !== 'string') throw new RejectionError('INVALID', 'Record ids are strings here.');
    if (isPlaceholderId(recordId)) {
      throw new RejectionError(
        'INVALID',
        'An id in braces is a placeholder to ObjectStack. Give the record another id.',
      );
    }
    try {
      await this.#write({ ...mutation, recordId }, serverVersion, context);
    } catch (error) {
      throw toRejection(error);
    }
    if (mutation.operation === 'delete') return undefined;
    // Read again, because defaults, computed fields and hooks change what is stored.
    return this.getRecord(objectName, recordId);
  }

  /** The records that the context may see, by record key, each with the fields it may see. */
  async readAll(refs: readonly RecordRef[], context: EngineContext): Promise<ReadonlyMap<string, JsonObject>> {
    const found = new Map<string, JsonObject>();
    // Devices send back what they were sent, and a file is written as its id alone.
    const asStored = { context: { ...context, ...STORED_FILES } };
    for (const [objectName, ids] of idsByObject(refs)) {
      for (const share of shares(ids, NAMED_IDS)) {
        const rows = await this.#engine.find(objectName, { where: { id: { $in: share } } }, asStored);
        for (const row of rows) found.set(recordKey({ objectName, recordId: String(row.id) }), fieldsOf(row));
      }
    }
    return found;
  }

  async #write(
    mutation: MutationLogEntry & { readonly recordId: string },
    serverVersion: number,
    context: WriteContext,
  ): Promise<void> {
    const { objectName, recordId: id, operation } = mutation;
    // A device that sends the whole record also sends formulas, and writing those would fail.
    const data = this.#without(objectName, mutation.data ?? {}, ({ type }) => type === 'formula');
    const options = { context: contextOf(context.principal) };
    // Of a first version sync has just asked whether the record is there, and for an update the engine looks it up itself.
    // Others may have changed past the engine since sync saw them, for example by a delete in the database itself.
    const isFirst = operation === 'create' && serverVersion === 1;
    const exists = operation === 'update' || (!isFirst && (await this.#has(mutation)));
    context.signal.throwIfAborted();
    if (operation === 'delete') {
      if (exists) await this.#engine.delete(objectName, { where: { id }, ...options });
    } else if (exists) await this.#update(mutation, data, options);
    else await this.#create(mutation, data, options);
  }

  async #has({ objectName, recordId }: RecordRef): Promise<boolean> {
    return (await this.getRecord(objectName, recordId)) !== undefined;
  }

  async #update(mutation: MutationLogEntry, data: JsonObject, options: EngineOptions): Promise<void> {
    const { objectName, recordId: id } = mutation;
    // Asked before: the write itself touches the record too.
    const isTouched = this.#hasTouched(mutation);
    try {
      await this.#engine.update(objectName, { ...data, id }, options);
    } catch (error) {
      const isTakenAlong = isTouched && isNotFound(error) && !(await this.#has(mutation));
      throw isTakenAlong ? new RejectionError('BUSY', TAKEN_ALONG) : error;
    }
  }

  /**
   * A user who re-creates a deleted record sends all of it, with the fields that the platform keeps, such as its owner.
   * A user who may not create records for that owner creates it as their own.
   */
  async #create(
    { objectName, recordId: id, baseVersion }: MutationLogEntry,
    data: JsonObject,
    options: EngineOptions,
  ): Promise<void> {
    try {
      await this.#engine.insert(objectName, { ...data, id }, options);
    } catch (error) {
      const isMadeAgain = baseVersion !== null;
      if (!isMadeAgain || !isDenied(error, { operation: 'insert', object: objectName })) throw error;
      const own = this.#without(objectName, data, ({ system }) => system === true);
      await this.#engine.insert(objectName, { ...own, id }, options);
    }
  }

  #without(objectName: string, data: JsonObject, isLeftOut: (field: FieldDefinition) => boolean): JsonObject {
    return Object.fromEntries(
      Object.entries(data).filter(([field]) => !isLeftOut(this.#definitionOf(objectName, field))),
    );
  }

  #definitionOf(objectName: string, field: string): FieldDefinition {
    const fields = this.#engine.registry.getObject(objectName)?.fields ?? {};
    return (ownValue(fields, field) ?? {}) as FieldDefinition;
  }
}

/** With its own version, the delete meets the change as a conflict, as if it had come in an earlier push. */
const TAKEN_ALONG = 'Another change of this push has deleted the record. This one is decided after that.';

/** The parts of a field's definition that say who writes it. */
interface FieldDefinition {
  readonly type?: unknown;
  /** True for fields that the platform keeps. */
  readonly system?: unknown;
}

/** Leaves out the id, which names the record and is not one of its fields. */
function fieldsOf(row: EngineRow): JsonObject {
  const { id: _, ...fields } = toFields(row);
  return fields;
}

function idsByObject(refs: readonly RecordRef[]): ReadonlyMap<string, readonly string[]> {
  const ids = new Map<string, string[]>();
  for (const { objectName, recordId } of refs) {
    if (typeof recordId !== 'string' || isPlaceholderId(recordId)) continue;
    const ofObject = ids.get(objectName);
    if (ofObject) ofObject.push(recordId);
    else ids.set(objectName, [recordId]);
  }
  return ids;
}
