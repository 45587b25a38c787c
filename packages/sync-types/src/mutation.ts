/** A client's change, as in its log and on the wire. */
import { z } from 'zod';
import { counterSchema, identifierProblem, identifierSchema, instantSchema, recordIdSchema } from './identifier.js';
import { findJsonProblem, type JsonObject } from './json.js';
import { MAX_FIELDS, MAX_JSON_DEPTH } from './limits.js';
import type { RecordId } from './record-key.js';

export const mutationOperationSchema = z.enum(['create', 'update', 'delete']);
/** What a mutation does to its record. */
export type MutationOperation = z.infer<typeof mutationOperationSchema>;

/** The fields of a record, as JSON that every store keeps unchanged. */
export const recordDataSchema = z
  .custom<JsonObject>()
  .superRefine((value: unknown, context) => {
    const problem = findDataProblem(value);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({
    type: 'object',
    maxProperties: MAX_FIELDS,
    description: `At most ${MAX_JSON_DEPTH} levels deep, no NUL, no lone surrogate, no __proto__`,
  });

/** One change in a client's log. Frozen when it is appended: retries send the same content. */
export interface MutationLogEntry {
  /** UUIDv7, the key under which the server applies this mutation at most once. */
  readonly id: string;
  readonly objectName: string;
  readonly recordId: RecordId;
  readonly operation: MutationOperation;
  /** `create`: the whole record. `update`: the changed fields. `delete`: absent. */
  readonly data?: JsonObject | undefined;
  /** When the user made the change, by the client's clock, ISO 8601. */
  readonly timestamp: string;
  readonly clientId: string;
  /** The entry's place in its log, rising from 1. */
  readonly sequence: number;
  /** The version of the record that the user saw, or `null` when unknown or not yet created. */
  readonly baseVersion: number | null;
  /** The log that gave the entry its sequence and may have sent it, if its device has started another one since. */
  readonly firstLogId?: string | undefined;
}
export const mutationLogEntrySchema = z
  .strictObject({
    id: identifierSchema,
    objectName: identifierSchema,
    recordId: recordIdSchema,
    operation: mutationOperationSchema,
    data: recordDataSchema.optional(),
    timestamp: instantSchema,
    clientId: identifierSchema,
    sequence: counterSchema.min(1),
    baseVersion: counterSchema.nullable(),
    firstLogId: identifierSchema.optional(),
  })
  .superRefine((mutation, context) => {
    if (mutation.operation === 'delete' && mutation.data !== undefined) {
      context.addIssue({ code: 'custom', path: ['data'], message: 'a delete carries no data' });
    }
  })
  .readonly();

/**
 * Whether `mutationLogEntrySchema` accepts a value, several times faster: a server checks every mutation with it, and
 * uses the schema only to say what is wrong. A test makes sure that both agree.
 */
export function isMutationLogEntry(value: unknown): value is MutationLogEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const key of Object.keys(value)) if (!ENTRY_KEYS.has(key)) return false;
  // Nothing is known of its properties yet.
  const entry = value as { readonly [Key in keyof MutationLogEntry]?: unknown };
  return (
    isIdentifier(entry.id) &&
    isIdentifier(entry.objectName) &&
    (isIdentifier(entry.recordId) || Number.isSafeInteger(entry.recordId)) &&
    isOperation(entry.operation) &&
    (entry.data === undefined || (entry.operation !== 'delete' && findDataProblem(entry.data) === undefined)) &&
    typeof entry.timestamp === 'string' &&
    INSTANT.test(entry.timestamp) &&
    isIdentifier(entry.clientId) &&
    isCounter(entry.sequence, 1) &&
    (entry.baseVersion === null || isCounter(entry.baseVersion, 0)) &&
    (entry.firstLogId === undefined || isIdentifier(entry.firstLogId))
  );
}

const ENTRY_KEYS: ReadonlySet<string> = new Set(Object.keys(mutationLogEntrySchema.unwrap().shape));
const INSTANT = z.regexes.datetime({ offset: true });

function isOperation(value: unknown): value is MutationOperation {
  return value === 'create' || value === 'update' || value === 'delete';
}

function isIdentifier(value: unknown): value is string {
  return typeof value === 'string' && identifierProblem(value) === undefined;
}

function isCounter(value: unknown, least: number): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least;
}

function findDataProblem(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'must be an object of fields';
  if (Object.keys(data).length > MAX_FIELDS) return `may not have more than ${MAX_FIELDS} fields`;
  const found = findJsonProblem(data, { maxDepth: MAX_JSON_DEPTH });
  return found && `${found.path} ${found.problem}`;
}
