/** A change another writer made, as it reaches a client. */
import { z } from 'zod';
import { counterSchema, instantSchema, recordIdSchema } from './identifier.js';
import { mutationOperationSchema, recordDataSchema } from './mutation.js';

export const syncServerChangeSchema = z
  .object({
    objectName: z.string(),
    recordId: recordIdSchema,
    operation: mutationOperationSchema,
    /** The record's whole state; absent for a delete. */
    data: recordDataSchema.optional(),
    serverVersion: counterSchema,
    /** When the server took the change, ISO 8601. */
    timestamp: instantSchema,
    /** The mutation behind the change; absent when the server itself made it, and when it is older than the walk that tells it. */
    origin: z.object({ logId: z.string(), mutationId: z.string(), sequence: counterSchema }).readonly().optional(),
  })
  .readonly();
/** A record's latest state on the server. Applying one twice, or an older one late, changes nothing. */
export type SyncServerChange = z.infer<typeof syncServerChangeSchema>;
