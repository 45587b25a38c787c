/** Everything about a block that can be checked without running it as a program. */
import { findJsonProblem, findYamlProblem } from './check-data.js';
import { findShellProblems } from './check-shell.js';
import type { Snippet, SnippetProblem } from './snippet.js';
import { findDirectiveProblem, isProgram } from './snippet-module.js';

/** Languages that only people read. */
const PROSE = new Set(['text', 'mermaid']);

/** What is wrong with a block, in the repository at `root`. A block in a language that nothing checks is a problem. */
export function findBlockProblems(snippet: Snippet, root: string): readonly SnippetProblem[] {
  if (isProgram(snippet)) return present(findDirectiveProblem(snippet));
  switch (snippet.language) {
    case 'yaml':
    case 'yml':
      return present(findYamlProblem(snippet));
    case 'json':
      return present(findJsonProblem(snippet));
    case 'sh':
    case 'bash':
    case 'shell':
      return findShellProblems(snippet, root);
    default:
      return PROSE.has(snippet.language) ? [] : [unchecked(snippet)];
  }
}

function unchecked({ page, line, language }: Snippet): SnippetProblem {
  const said = language === '' ? 'the block names no language' : `nothing checks a block of ${language}`;
  return { page, line, problem: `${said}; use ts, js, yaml, json or sh, or text when it is only to be read` };
}

function present(problem: SnippetProblem | undefined): readonly SnippetProblem[] {
  return problem === undefined ? [] : [problem];
}
