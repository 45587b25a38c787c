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
/** Which operations met, the client's first: `update-delete` is my update against their delete. */
export type ConflictKind = z.infer<typeof conflictKindSchema>;

/** The writer, the time, and the entry in the writer's log. Two stamps always compare, and alike on every machine. */
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
  /** What the user wanted: its `data` holds their values. */
  readonly clientMutation: MutationLogEntry;
  /** The server's record; `null` when it is deleted there. */
  readonly serverRecord: JsonObject | null;
  /** The fields that both sides wrote, to different values. */
  readonly conflictingFields: readonly string[];
  /** A merge that the server proposes: its own record with the client's uncontested fields. */
  readonly suggestedResolution?: JsonObject | undefined;
  /** Which operations met, the client's first. */
  readonly kind?: ConflictKind | undefined;
  /** The version of `serverRecord`: the base of any resolution. */
  readonly serverVersion?: number | undefined;
  /** The strategy by which the server decided; absent when it has none and the client's decides. */
  readonly strategy?: StrategyName | 'custom' | undefined;
  /** The object's declared conflict fields, if it has any. */
  readonly conflictFields?: readonly string[] | undefined;
  /** The write that the client's mutation would be. */
  readonly clientStamp?: WriteStamp | undefined;
  /** For each field in `conflictingFields`, the write that gave it its value in `serverRecord`. */
  readonly serverStamps?: Readonly<Record<string, WriteStamp>> | undefined;
  /** The delete, if the server's record is deleted. */
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
