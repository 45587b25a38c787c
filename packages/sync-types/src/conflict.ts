/** A conflict as the server reports it. */
import { z } from 'zod';
import { counterSchema, recordIdSchema } from './identifier.js';
import { mutationLogEntrySchema, recordDataSchema } from './mutation.js';
import { STRATEGY_NAMES } from './strategies/strategy-name.js';

export const conflictKindSchema = z.enum([
  'update-update',
  'create-create',
  'update-delete',
  'delete-update',
  'stale-incarnation',
]);
/** What met what, the client's operation first: `update-delete` is my update against their delete. */
export type ConflictKind = z.infer<typeof conflictKindSchema>;

export const writeStampSchema = z
  .object({
    /** Epoch milliseconds, already corrected by the server for the writer's clock. */
    time: z.number(),
    logId: z.string(),
    sequence: z.number(),
  })
  .readonly();
/** Who wrote, when, and as which entry of the writer's log. Two stamps always compare, the same on every machine. */
export type WriteStamp = z.infer<typeof writeStampSchema>;

export const syncConflictSchema = z
  .object({
    objectName: z.string(),
    recordId: recordIdSchema,
    clientMutation: mutationLogEntrySchema,
    /** The record as the server has it; `null` when it is deleted there. */
    serverRecord: recordDataSchema.nullable(),
    /** The fields both sides wrote to different values. */
    conflictingFields: z.array(z.string()).readonly(),
    /** A merge the server proposes: its own record with the client's uncontested fields. */
    suggestedResolution: recordDataSchema.optional(),
    kind: conflictKindSchema.optional(),
    /** The version of `serverRecord`: the base of whatever resolves the conflict. */
    serverVersion: counterSchema.optional(),
    /** The strategy the server decided by; absent when it knows none, and the client's decides. */
    strategy: z.enum([...STRATEGY_NAMES, 'custom']).optional(),
    /** The object's declared conflict fields, where it has any. */
    conflictFields: z.array(z.string()).readonly().optional(),
    /** The write that the client's mutation would be. */
    clientStamp: writeStampSchema.optional(),
    /** The write each field of `serverRecord` in `conflictingFields` comes from. */
    serverStamps: z.record(z.string(), writeStampSchema).readonly().optional(),
    /** The delete, where the server's record is deleted. */
    deletedStamp: writeStampSchema.optional(),
  })
  .readonly();
/** A conflict: what the client wanted, what the server has, and what both would need to decide. */
export type SyncConflict = z.infer<typeof syncConflictSchema>;
