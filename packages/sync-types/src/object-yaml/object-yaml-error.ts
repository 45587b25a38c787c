/** What is wrong with object metadata, and where. */

/** One mistake in one file. */
export interface ObjectYamlProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** The path of the key, e.g. `sync.conflict_fields[1]`; empty when the file as a whole is the problem. */
  readonly key: string;
  /** What is wrong and what to write instead, e.g. `unknown key; did you mean strategy?`. */
  readonly problem: string;
}

/**
 * Thrown when object metadata cannot be read. `file`, `line`, `column` and `key` are those of the first problem; the
 * message has a line for each, e.g. `task.object.yml:14:3 sync.stratgey: unknown key; did you mean strategy?`.
 */
export class ObjectYamlError extends Error {
  override readonly name = 'ObjectYamlError';
  /** All of them, file by file, from top to bottom. */
  readonly problems: readonly [ObjectYamlProblem, ...ObjectYamlProblem[]];

  constructor(problems: readonly [ObjectYamlProblem, ...ObjectYamlProblem[]]) {
    super(problems.map(describe).join('\n'));
    this.problems = problems;
  }

  get file(): string {
    return this.problems[0].file;
  }

  get line(): number {
    return this.problems[0].line;
  }

  get column(): number {
    return this.problems[0].column;
  }

  get key(): string {
    return this.problems[0].key;
  }
}

function describe({ file, line, column, key, problem }: ObjectYamlProblem): string {
  return key === '' ? `${file}:${line}:${column}: ${problem}` : `${file}:${line}:${column} ${key}: ${problem}`;
}
