/** A code block of a page, and what may be wrong with it. */

export interface Snippet {
  /** The page's path from the root of the repository, e.g. `docs/quick-start.md`. */
  readonly page: string;
  /** The line of the page on which the code starts, from 1. */
  readonly line: number;
  /** The first word behind the fence; empty when there is none. */
  readonly language: string;
  readonly code: string;
  /** What the source around a docstring exports, which its blocks may use without importing it. */
  readonly scope?: readonly string[];
}

/** What a reader of the page would trip over. */
export interface SnippetProblem {
  readonly page: string;
  readonly line: number;
  readonly problem: string;
}

/** `docs/quick-start.md:12`, which editors and terminals turn into a link. */
export function placeOf({ page, line }: Pick<Snippet, 'page' | 'line'>): string {
  return `${page}:${line}`;
}
