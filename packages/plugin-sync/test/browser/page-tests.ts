/** Stands in for `vitest` inside of a page: collects the tests of a bundle, so that they run there one at a time. */
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);
// Vitest's matchers are not in chai's own types.
export const expect = chai.expect as unknown as typeof import('vitest').expect;

type Work = () => unknown;

const tests: { readonly title: string; readonly work: Work }[] = [];

/** Declares the tests in `declare`; their titles are not nested. */
export function describe(_title: string, declare: () => void): void {
  declare();
}

/** Declares a test, with options or without. */
export function it(title: string, optionsOrWork: object | Work, work?: Work): void {
  // Vitest takes options, such as a timeout, before the work or leaves them out.
  tests.push({ title, work: work ?? (optionsOrWork as Work) });
}

/** What the bundle offers to the test outside of the page. */
export interface PageTests {
  titles(): readonly string[];
  /** Runs one test. Answers its failure, or `null`. */
  run(index: number): Promise<string | null>;
}

const pageTests: PageTests = {
  titles: () => tests.map(({ title }) => title),
  async run(index) {
    try {
      await tests[index]?.work();
      return null;
    } catch (error) {
      return error instanceof Error ? `${error.message}\n${error.stack}` : String(error);
    }
  },
};

Object.assign(globalThis, { pageTests });
