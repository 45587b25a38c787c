/** The schemas of what a server answers instead of a success. */
import { z } from 'zod';
import { REQUEST_ERROR_CODES, RETRYABLE_CODES, TERMINAL_CODES } from './error-code.js';

export const rejectionCodeSchema = z.enum([...TERMINAL_CODES, ...RETRYABLE_CODES]);
export const requestErrorCodeSchema = z.enum(REQUEST_ERROR_CODES);

export const errorBodySchema = z
  .object({
    error: z
      .object({
        code: requestErrorCodeSchema,
        message: z.string(),
        /** Milliseconds to wait before another try. */
        retryAfterMs: z.number().nonnegative().optional(),
      })
      .readonly(),
  })
  .readonly();
/** The body of every answer that is not a success. */
export type SyncErrorBody = z.infer<typeof errorBodySchema>;
