/** What the suites under `/testing` need of a test framework. Only types: the caller provides the framework itself. */

/**
 * The functions that declare and check tests, as vitest, Jest and Bun have them. With `node:test`, take `describe` and `it`
 * from there and `expect` from the package of that name.
 *
 * ```text
 * storageContract('MyStorage', fixture, { describe, it, expect });
 * ```
 */
export interface TestFramework {
  readonly describe: (name: string, declare: () => void) => unknown;
  readonly it: (title: string, run: () => Promise<void>) => unknown;
  readonly expect: (actual: unknown) => Expectation;
}

/** The matchers for values that the suites use. */
export interface Matchers {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toMatchObject(expected: object): void;
  toContainEqual(expected: unknown): void;
  toHaveLength(expected: number): void;
  toMatch(expected: RegExp): void;
  toBeLessThan(expected: number): void;
  toBeLessThanOrEqual(expected: number): void;
  toBeUndefined(): void;
}

/** The matchers for the error of a rejected promise. */
export interface RejectionMatchers {
  toBe(expected: unknown): Promise<void>;
  toBeInstanceOf(expected: unknown): Promise<void>;
  toMatchObject(expected: object): Promise<void>;
  toThrow(expected?: string | RegExp): Promise<void>;
}

export interface Expectation extends Matchers {
  readonly not: Matchers;
  readonly rejects: RejectionMatchers;
}
