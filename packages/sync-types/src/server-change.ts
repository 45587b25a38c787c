/** A change by another writer, as it reaches a client. */
import { z } from 'zod';
import { counterSchema, instantSchema, recordIdSchema } from './identifier.js';
import type { JsonObject } from './json.js';
import { type MutationOperation, mutationOperationSchema, recordDataSchema } from './mutation.js';
import type { RecordId } from './record-key.js';

/** A record's latest state on the server. Applying one twice, or an older one late, changes nothing. */
export interface SyncServerChange {
  readonly objectName: string;
  readonly recordId: RecordId;
  readonly operation: MutationOperation;
  /** The record's whole state; absent for a delete. */
  readonly data?: JsonObject | undefined;
  readonly serverVersion: number;
  /** When the server accepted the change, ISO 8601. */
  readonly timestamp: string;
  /** The mutation behind the change; absent if the server itself made it, or if it is older than the present walk. */
  readonly origin?: { readonly logId: string; readonly mutationId: string; readonly sequence: number } | undefined;
}
export const syncServerChangeSchema = z
  .object({
    objectName: z.string(),
    recordId: recordIdSchema,
    operation: mutationOperationSchema,
    data: recordDataSchema.optional(),
    serverVersion: counterSchema,
    timestamp: instantSchema,
    origin: z.object({ logId: z.string(), mutationId: z.string(), sequence: counterSchema }).readonly().optional(),
  })
  .readonly();
