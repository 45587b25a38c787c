/** The wire's parsers: zod schemas for the types. A subpath, so that zod stays out of browsers. */
export { conflictKindSchema, syncConflictSchema, writeStampSchema } from './conflict.js';
export { counterSchema, identifierSchema, instantSchema, recordIdSchema } from './identifier.js';
export { isMutationLogEntry, mutationLogEntrySchema, mutationOperationSchema, recordDataSchema } from './mutation.js';
export { syncBlockSchema } from './object-yaml/sync-block.js';
export { syncPokeSchema } from './poke.js';
export { syncPullRequestSchema } from './pull.js';
export { resetSchema, syncMutationResultSchema, syncPushRequestSchema, syncPushResponseSchema } from './push.js';
export { syncServerChangeSchema } from './server-change.js';
export { errorBodySchema, rejectionCodeSchema, requestErrorCodeSchema, toldRejectionCodeSchema } from './sync-error.js';
