/** Asking for changes without sending any. */
import { z } from 'zod';
import { identifierSchema, instantSchema } from './identifier.js';

/** What push and pull requests share. */
export const requestEnvelope = {
  clientId: identifierSchema,
  /** The checkpoint of the last answer whose changes are stored, or `null` at first. */
  lastCheckpoint: z.string().max(1024).nullable(),
  protocol: z.literal([1, 2]).optional(),
  /** Random, born with the log: a cleared device starts a new one instead of colliding with its own past. */
  logId: identifierSchema.optional(),
  /** The client's clock when it sent this, ISO 8601; what the clock correction is measured from. */
  sentAt: instantSchema.optional(),
  /** At most this many changes in the answer. */
  limit: z.int().min(1).optional(),
  /** Only changes of these objects; everything the caller may read when absent. */
  objects: z.array(identifierSchema).max(1000).readonly().optional(),
};

export const syncPullRequestSchema = z.strictObject(requestEnvelope).readonly();
/** A push without mutations. */
export type SyncPullRequest = z.infer<typeof syncPullRequestSchema>;
