/** The schemas of a server's answers other than success. */
import { z } from 'zod';
import {
  RETRYABLE_CODES,
  type RequestErrorCode,
  STATUS_BY_CODE,
  TERMINAL_CODES,
  type ToldRejectionCode,
} from './error-code.js';

export const rejectionCodeSchema = z.enum([...TERMINAL_CODES, ...RETRYABLE_CODES]);
/** Accepts any text; the type only suggests the known codes. */
export const toldRejectionCodeSchema = z.string() as z.ZodType<ToldRejectionCode>;
export const requestErrorCodeSchema = z.enum(
  // The type of `Object.keys` does not keep the keys' names.
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
