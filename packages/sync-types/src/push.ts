/** Sending mutations, and the answer that brings their outcomes and the changes of others. */
import { z } from 'zod';
import { syncConflictSchema } from './conflict.js';
import { counterSchema, identifierSchema, instantSchema } from './identifier.js';
import { type MutationLogEntry, recordDataSchema } from './mutation.js';
import { requestEnvelope } from './pull.js';
import { syncServerChangeSchema } from './server-change.js';
import { toldRejectionCodeSchema } from './sync-error.js';

/** The envelope alone: each mutation is parsed by itself, so that a malformed one is rejected without its neighbours. */
export const syncPushRequestSchema = z
  .strictObject({
    ...requestEnvelope,
    // Not a list of unknowns: zod would look at each of a thousand to find that it may be anything.
    mutations: z
      .custom<readonly unknown[]>(Array.isArray, 'must be a list')
      .meta({ readOnly: true, type: 'array', items: {} }),
    /** `false` asks for outcomes only. */
    pull: z.boolean().optional(),
  })
  .readonly();
/** A client's mutations in the order of its log, and where it stands in the server's feed. */
export type SyncPushRequest = Omit<z.infer<typeof syncPushRequestSchema>, 'mutations'> & {
  readonly mutations: readonly MutationLogEntry[];
};

const outcome = {
  mutationId: identifierSchema.optional(),
  /** True when this outcome was decided by an earlier request and is only repeated. */
  duplicate: z.boolean().optional(),
};

export const syncMutationResultSchema = z.discriminatedUnion('status', [
  z
    .object({
      ...outcome,
      status: z.literal('applied'),
      /** The record's version after this mutation. */
      serverVersion: counterSchema,
      /**
       * The record as the server has it now, `null` when deleted. Present whenever that is anything else than
       * the state at `baseVersion` plus the mutation's data.
       */
      record: recordDataSchema.nullable().optional(),
      /** Fields of the mutation that lost against a later or protected value. */
      droppedFields: z.array(z.string()).readonly().optional(),
    })
    .readonly(),
  z.object({ ...outcome, status: z.literal('conflict'), conflict: syncConflictSchema }).readonly(),
  z
    .object({
      ...outcome,
      status: z.literal('rejected'),
      /** For people. Programs decide by `code`. */
      reason: z.string(),
      code: toldRejectionCodeSchema.optional(),
      retryable: z.boolean().optional(),
      retryAfterMs: z.number().nonnegative().optional(),
    })
    .readonly(),
]);
/** What became of one mutation. */
export type SyncMutationResult = z.infer<typeof syncMutationResultSchema>;

export const resetSchema = z.enum(['expired', 'epoch', 'scope']);
/**
 * Why the walk of the feed starts over: the checkpoint is older than what the server keeps, belongs to a feed that is
 * no more, or was made for another set of objects or rights.
 */
export type SyncReset = z.infer<typeof resetSchema>;

export const syncPushResponseSchema = z
  .object({
    /** One for each mutation, in the request's order. */
    results: z.array(syncMutationResultSchema).readonly(),
    serverChanges: z.array(syncServerChangeSchema).readonly(),
    /** The last place scanned for `serverChanges`; opaque. */
    checkpoint: z.string(),
    protocol: z.literal(2).optional(),
    /** More changes wait behind `checkpoint`. */
    hasMore: z.boolean().optional(),
    serverTime: instantSchema.optional(),
    limits: z.object({ maxBodyBytes: counterSchema, maxMutations: counterSchema }).readonly().optional(),
    reset: resetSchema.optional(),
  })
  .readonly();
/** Outcomes in the order of the request, and the next page of the feed. */
export type SyncPushResponse = z.infer<typeof syncPushResponseSchema>;
