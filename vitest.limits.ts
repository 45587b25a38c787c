/**
 * How long tests and what they wait for may take, in every project. These end a run that hangs, and measure nothing: they
 * are far above what anything takes, since a busy machine is no fault.
 */

/** Of one wait within a test. Below the limit of a test, so that what is missing is named. */
export const WAIT_LIMIT_MS = 100_000;

/** Of the tests of a project. */
export const limits = {
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: WAIT_LIMIT_MS } },
} as const;
