import { expect, test } from 'vitest';
import { isRetryable, RETRYABLE_CODES, type RejectionCode, TERMINAL_CODES } from './error-code.js';

test('says of every rejection code whether another try can help', () => {
  // A record, so that the compiler demands a line for each new code.
  const expected: Record<RejectionCode, boolean> = {
    INVALID: false,
    FORBIDDEN: false,
    NOT_FOUND: false,
    UNKNOWN_OBJECT: false,
    VALIDATION: false,
    ID_REUSED: false,
    OUTCOME_EXPIRED: false,
    TOO_LARGE: false,
    RATE_LIMITED: true,
    BUSY: true,
    INTERNAL: true,
    BATCH_TOO_LARGE: true,
  };
  const codes = [...TERMINAL_CODES, ...RETRYABLE_CODES];
  expect(Object.fromEntries(codes.map((code) => [code, isRetryable(code)]))).toEqual(expected);
});
