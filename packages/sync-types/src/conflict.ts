/** A conflict as the server reports it. */
import { z } from 'zod';
import { counterSchema, recordIdSchema } from './identifier.js';
import type { JsonObject } from './json.js';
import { type MutationLogEntry, mutationLogEntrySchema, recordDataSchema } from './mutation.js';
import type { RecordId } from './record-key.js';
import { STRATEGY_NAMES, type StrategyName } from './strategies/strategy-name.js';

export const conflictKindSchema = z.enum([
  'update-update',
  'create-create',
  'update-delete',
  'delete-update',
  'stale-incarnation',
]);
/** What met what, the client's operation first: `update-delete` is my update against their delete. */
export type ConflictKind = z.infer<typeof conflictKindSchema>;

/** Who wrote, when, and as which entry of the writer's log. Two stamps always compare, the same on every machine. */
export interface WriteStamp {
  /** Epoch milliseconds, already corrected by the server for the writer's clock. */
  readonly time: number;
  readonly logId: string;
  readonly sequence: number;
}
export const writeStampSchema = z.object({ time: z.number(), logId: z.string(), sequence: z.number() }).readonly();

/** A conflict: what the client wanted, what the server has, and what both would need to decide. */
export interface SyncConflict {
  readonly objectName: string;
  readonly recordId: RecordId;
  /** What the user wanted: its `data` are their values. */
  readonly clientMutation: MutationLogEntry;
  /** The record as the server has it; `null` when it is deleted there. */
  readonly serverRecord: JsonObject | null;
  /** The fields both sides wrote to different values. */
  readonly conflictingFields: readonly string[];
  /** A merge the server proposes: its own record with the client's uncontested fields. */
  readonly suggestedResolution?: JsonObject | undefined;
  /** What met what, the client's operation first. */
  readonly kind?: ConflictKind | undefined;
  /** The version of `serverRecord`: the base of whatever resolves the conflict. */
  readonly serverVersion?: number | undefined;
  /** The strategy the server decided by; absent when it knows none, and the client's decides. */
  readonly strategy?: StrategyName | 'custom' | undefined;
  /** The object's declared conflict fields, where it has any. */
  readonly conflictFields?: readonly string[] | undefined;
  /** The write that the client's mutation would be. */
  readonly clientStamp?: WriteStamp | undefined;
  /** The write each field of `serverRecord` in `conflictingFields` comes from. */
  readonly serverStamps?: Readonly<Record<string, WriteStamp>> | undefined;
  /** The delete, where the server's record is deleted. */
  readonly deletedStamp?: WriteStamp | undefined;
}
export const syncConflictSchema = z
  .object({
    objectName: z.string(),
    recordId: recordIdSchema,
    clientMutation: mutationLogEntrySchema,
    serverRecord: recordDataSchema.nullable(),
    conflictingFields: z.array(z.string()).readonly(),
    suggestedResolution: recordDataSchema.optional(),
    kind: conflictKindSchema.optional(),
    serverVersion: counterSchema.optional(),
    strategy: z.enum([...STRATEGY_NAMES, 'custom']).optional(),
    conflictFields: z.array(z.string()).readonly().optional(),
    clientStamp: writeStampSchema.optional(),
    serverStamps: z.record(z.string(), writeStampSchema).readonly().optional(),
    deletedStamp: writeStampSchema.optional(),
  })
  .readonly();
