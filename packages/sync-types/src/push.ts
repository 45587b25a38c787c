/** Sending mutations, and the answer that brings their outcomes and the changes of others. */
import { z } from 'zod';
import { type SyncConflict, syncConflictSchema } from './conflict.js';
import type { ToldRejectionCode } from './error-code.js';
import { counterSchema, identifierSchema, instantSchema } from './identifier.js';
import type { JsonObject } from './json.js';
import { type MutationLogEntry, recordDataSchema } from './mutation.js';
import { requestEnvelope, type SyncPullRequest } from './pull.js';
import { type SyncServerChange, syncServerChangeSchema } from './server-change.js';
import { toldRejectionCodeSchema } from './sync-error.js';

/** A client's mutations in the order of its log, and where it stands in the server's feed. */
export interface SyncPushRequest extends SyncPullRequest {
  readonly mutations: readonly MutationLogEntry[];
  /** `false` asks for outcomes only. */
  readonly pull?: boolean | undefined;
}
/**
 * Only the envelope: each mutation is parsed by itself, so that a malformed one is rejected without its neighbours.
 */
export const syncPushRequestSchema = z
  .strictObject({
    ...requestEnvelope,
    // Not a list of unknowns: zod would inspect each of a thousand only to find that anything is allowed.
    mutations: z
      .custom<readonly unknown[]>(Array.isArray, 'must be a list')
      .meta({ readOnly: true, type: 'array', items: {} }),
    pull: z.boolean().optional(),
  })
  .readonly();

interface Outcome {
  /** The mutation's id; absent if the server is of protocol 1, whose results are in the request's order. */
  readonly mutationId?: string | undefined;
  /** True when an earlier request decided this outcome and it is only repeated. */
  readonly duplicate?: boolean | undefined;
}
const outcome = { mutationId: identifierSchema.optional(), duplicate: z.boolean().optional() };

interface Applied extends Outcome {
  readonly status: 'applied';
  /** The record's version after this mutation. */
  readonly serverVersion: number;
  /**
   * The record as the server has it now, `null` when deleted. Present whenever it differs from the state at
   * `baseVersion` plus the mutation's data.
   */
  readonly record?: JsonObject | null | undefined;
  /** Fields of the mutation that lost against a later or protected value. */
  readonly droppedFields?: readonly string[] | undefined;
}
interface Conflicting extends Outcome {
  readonly status: 'conflict';
  readonly conflict: SyncConflict;
}
interface Rejected extends Outcome {
  readonly status: 'rejected';
  /** For people. Programs decide by `code`. */
  readonly reason: string;
  readonly code?: ToldRejectionCode | undefined;
  /** Whether the same mutation is worth another try. */
  readonly retryable?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
}
/** What became of one mutation. */
export type SyncMutationResult = Applied | Conflicting | Rejected;
export const syncMutationResultSchema = z.discriminatedUnion('status', [
  z
    .object({
      ...outcome,
      status: z.literal('applied'),
      serverVersion: counterSchema,
      record: recordDataSchema.nullable().optional(),
      droppedFields: z.array(z.string()).readonly().optional(),
    })
    .readonly(),
  z.object({ ...outcome, status: z.literal('conflict'), conflict: syncConflictSchema }).readonly(),
  z
    .object({
      ...outcome,
      status: z.literal('rejected'),
      reason: z.string(),
      code: toldRejectionCodeSchema.optional(),
      retryable: z.boolean().optional(),
      retryAfterMs: z.number().nonnegative().optional(),
    })
    .readonly(),
]);

export const resetSchema = z.enum(['expired', 'epoch', 'scope']);
/**
 * Why the walk of the feed starts over: the checkpoint is older than what the server keeps, belongs to a feed that no
 * longer exists, or was made for other objects or rights.
 */
export type SyncReset = z.infer<typeof resetSchema>;

/** Outcomes in the order of the request, and the next page of the feed. */
export interface SyncPushResponse {
  /** One for each mutation, in the request's order. */
  readonly results: readonly SyncMutationResult[];
  readonly serverChanges: readonly SyncServerChange[];
  /** The last place scanned for `serverChanges`; opaque. */
  readonly checkpoint: string;
  readonly protocol?: 2 | undefined;
  /** More changes wait behind `checkpoint`. */
  readonly hasMore?: boolean | undefined;
  /** The server's clock when it answered, ISO 8601. */
  readonly serverTime?: string | undefined;
  /** The server's limits. */
  readonly limits?: { readonly maxBodyBytes: number; readonly maxMutations: number } | undefined;
  /** Set when the walk of the feed starts over with this answer. */
  readonly reset?: SyncReset | undefined;
}
export const syncPushResponseSchema = z
  .object({
    results: z.array(syncMutationResultSchema).readonly(),
    serverChanges: z.array(syncServerChangeSchema).readonly(),
    checkpoint: z.string(),
    protocol: z.literal(2).optional(),
    hasMore: z.boolean().optional(),
    serverTime: instantSchema.optional(),
    limits: z.object({ maxBodyBytes: counterSchema, maxMutations: counterSchema }).readonly().optional(),
    reset: resetSchema.optional(),
  })
  .readonly();
