/** Asking for changes without sending any. */
import { z } from 'zod';
import { identifierSchema, instantSchema } from './identifier.js';
import { MAX_OBJECTS } from './limits.js';

/** 1,024 characters: many times the length of any server's checkpoint. */
export const MAX_CHECKPOINT_LENGTH = 1024;

// Not with `max`: zod also applies it to other values that have a length, and it throws if that cannot be compared.
const checkpointSchema = z
  .string()
  .refine(({ length }) => length <= MAX_CHECKPOINT_LENGTH, `may not be longer than ${MAX_CHECKPOINT_LENGTH} characters`)
  .meta({ maxLength: MAX_CHECKPOINT_LENGTH });
const objectsSchema = z
  .array(identifierSchema)
  .refine(({ length }) => length <= MAX_OBJECTS, `may not be more than ${MAX_OBJECTS}`)
  .meta({ maxItems: MAX_OBJECTS })
  .readonly();

/** A push without mutations. */
export interface SyncPullRequest {
  readonly clientId: string;
  /** The checkpoint of the last answer whose changes are stored; `null` at first. */
  readonly lastCheckpoint: string | null;
  readonly protocol?: 1 | 2 | undefined;
  /** Random, made with the log: a cleared device starts a new one instead of colliding with its own past. */
  readonly logId?: string | undefined;
  /** The client's clock when it sent this, ISO 8601; the clock correction is measured from it. */
  readonly sentAt?: string | undefined;
  /** At most this many changes in the answer. */
  readonly limit?: number | undefined;
  /** Only changes of these objects; absent means everything that the caller may read. */
  readonly objects?: readonly string[] | undefined;
  /** No changes of these objects: a client that asks for them later walks the feed anew, or they would stay a gap. */
  readonly except?: readonly string[] | undefined;
}

/** What push and pull requests share. */
export const requestEnvelope = {
  clientId: identifierSchema,
  lastCheckpoint: checkpointSchema.nullable(),
  protocol: z.literal([1, 2]).optional(),
  logId: identifierSchema.optional(),
  sentAt: instantSchema.optional(),
  limit: z.int().min(1).optional(),
  objects: objectsSchema.optional(),
  except: objectsSchema.optional(),
};

export const syncPullRequestSchema = z.strictObject(requestEnvelope).readonly();
