/** The schemas of what a server answers instead of a success. */
import { z } from 'zod';
import {
  RETRYABLE_CODES,
  type RequestErrorCode,
  STATUS_BY_CODE,
  TERMINAL_CODES,
  type ToldRejectionCode,
} from './error-code.js';

export const rejectionCodeSchema = z.enum([...TERMINAL_CODES, ...RETRYABLE_CODES]);
/** Any text is one; the type only reminds of those that are known. */
export const toldRejectionCodeSchema = z.string() as z.ZodType<ToldRejectionCode>;
export const requestErrorCodeSchema = z.enum(
  // Object.keys forgets what the keys are.
  Object.keys(STATUS_BY_CODE) as readonly RequestErrorCode[],
);

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
