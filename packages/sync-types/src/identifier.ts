/** The schemas of names and ids, shared by every message that carries one. */
import { z } from 'zod';
import { utf8Bytes } from './bytes.js';
import { stringProblem } from './json.js';
import { MAX_ID_BYTES } from './limits.js';

/** What makes a string unfit as a name or an id, if anything does. */
export function identifierProblem(value: string): string | undefined {
  if (value === '') return 'may not be empty';
  if (utf8Bytes(value) > MAX_ID_BYTES) return `may not be longer than ${MAX_ID_BYTES} bytes`;
  return stringProblem(value);
}

/** A non-empty string of at most 128 bytes that every store keeps unchanged. */
export const identifierSchema = z
  .string()
  .superRefine((value, context) => {
    const problem = identifierProblem(value);
    if (problem) context.addIssue({ code: 'custom', message: problem });
  })
  .meta({ minLength: 1, description: `At most ${MAX_ID_BYTES} bytes of UTF-8, no NUL, no lone surrogate` });

/** A record id: an identifier, or a safe integer. */
export const recordIdSchema = z.union([identifierSchema, z.int()], {
  error: `must be a non-empty string of at most ${MAX_ID_BYTES} bytes or a safe integer`,
});

/** A version, base version or sequence: a safe integer that is not negative. */
export const counterSchema = z.int().nonnegative();

/** A point in time as ISO 8601 with a zone, e.g. `2026-11-23T10:15:00.000Z`. */
export const instantSchema = z.iso.datetime({ offset: true });
