/** A client's change as it stands in its log and on the wire. */
import { z } from 'zod';
import { counterSchema, identifierSchema, instantSchema, recordIdSchema } from './identifier.js';
import { findJsonProblem, type JsonObject } from './json.js';
import { MAX_FIELDS, MAX_JSON_DEPTH } from './limits.js';

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

export const mutationLogEntrySchema = z
  .strictObject({
    /** UUIDv7, the key under which the server applies this mutation at most once. */
    id: identifierSchema,
    objectName: identifierSchema,
    recordId: recordIdSchema,
    operation: mutationOperationSchema,
    /** `create`: the whole record. `update`: the changed fields. `delete`: absent. */
    data: recordDataSchema.optional(),
    /** When the user made the change, by the client's clock, ISO 8601. */
    timestamp: instantSchema,
    clientId: identifierSchema,
    /** The entry's place in its log, rising from 1. */
    sequence: counterSchema.min(1),
    /** The record's version the user saw, or `null` when unknown or not yet created. */
    baseVersion: counterSchema.nullable(),
  })
  .superRefine((mutation, context) => {
    if (mutation.operation === 'delete' && mutation.data !== undefined) {
      context.addIssue({ code: 'custom', path: ['data'], message: 'a delete carries no data' });
    }
  })
  .readonly();
/** One change in a client's log. Frozen when it is appended: retries send the same content. */
export type MutationLogEntry = z.infer<typeof mutationLogEntrySchema>;

function findDataProblem(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'must be an object of fields';
  if (Object.keys(data).length > MAX_FIELDS) return `may not have more than ${MAX_FIELDS} fields`;
  const found = findJsonProblem(data, { maxDepth: MAX_JSON_DEPTH });
  return found && `${found.path} ${found.problem}`;
}
