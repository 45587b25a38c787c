/** Turns the TypeScript and JavaScript blocks of a page into modules that a compiler and Node can take. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Snippet, SnippetProblem } from './snippet.js';

/** A block as a file. */
export interface SnippetModule {
  readonly snippet: Snippet;
  /** The file, absolute. */
  readonly file: string;
  /** False for a block that is only type-checked, or that a later block of its page imports and so runs. */
  readonly runs: boolean;
  /** What the block and those that it imports say that they print: the comments behind `console.log(…);`. */
  readonly prints: readonly string[];
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  ts: '.ts',
  typescript: '.ts',
  tsx: '.tsx',
  js: '.js',
  javascript: '.js',
};

/** True for a block that is a program. */
export function isProgram(snippet: Snippet): boolean {
  return Object.hasOwn(EXTENSIONS, snippet.language);
}

/** What is wrong with the directive on a block's first line, if anything. */
export function findDirectiveProblem(snippet: Snippet): SnippetProblem | undefined {
  const { noRun } = readDirective(snippet);
  if (noRun === undefined || noRun !== '') return undefined;
  return {
    page: snippet.page,
    line: snippet.line,
    problem: 'no-run needs a reason: // no-run: starts a server that stays up',
  };
}

/**
 * Writes the programs of all pages below `folder`, each page in a folder of its own, so that `import './db.js'` finds the
 * block of that page which starts with `// file: db.ts`. What was in `folder` before is gone.
 */
export async function writeModules(
  snippets: readonly Snippet[],
  { folder, root }: { readonly folder: string; readonly root: string },
): Promise<readonly SnippetModule[]> {
  await rm(folder, { recursive: true, force: true });
  const modules = snippets.filter(isProgram).map((snippet, index, programs) => {
    const isOfPage = ({ page }: Snippet) => page === snippet.page;
    const [earlier, later] = [programs.slice(0, index).filter(isOfPage), programs.slice(index + 1).filter(isOfPage)];
    return toModule(snippet, { folder, earlier, later });
  });
  await mkdir(folder, { recursive: true });
  // Whoever runs a block looks for the nearest one, for instance to learn what JSX becomes.
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.base.json') }));
  for (const { file, snippet } of modules) {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, importScope(snippet, root) + snippet.code);
  }
  return modules;
}

interface Place {
  readonly folder: string;
  /** The programs of the same page before and behind it. */
  readonly earlier: readonly Snippet[];
  readonly later: readonly Snippet[];
}

function toModule(snippet: Snippet, { folder, earlier, later }: Place): SnippetModule {
  const { fileName, noRun } = readDirective(snippet);
  const extension = EXTENSIONS[snippet.language] ?? '.ts';
  const imported = later.some((other) => imports(other, snippet));
  return {
    snippet,
    file: join(folder, snippet.page.replaceAll('/', '__'), fileName ?? `line-${snippet.line}${extension}`),
    runs: noRun === undefined && !imported,
    prints: printsOf(snippet, earlier),
  };
}

function imports({ code }: Snippet, other: Snippet): boolean {
  const { fileName } = readDirective(other);
  return fileName !== undefined && code.includes(`'./${fileName.replace(/\.tsx?$/, '.js')}'`);
}

function printsOf(snippet: Snippet, earlier: readonly Snippet[]): readonly string[] {
  const imported = earlier.filter((other) => imports(snippet, other));
  const own = [...snippet.code.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm)].map(([, text = '']) => text);
  return [...imported.flatMap((other) => printsOf(other, earlier)), ...own];
}

/** Imports what a docstring's block uses of its source; without a line of its own, so that line numbers stay. */
function importScope({ page, code, scope = [] }: Snippet, root: string): string {
  const used = scope.filter(
    (name) => new RegExp(`\\b${name}\\b`).test(code) && !new RegExp(`import .*\\b${name}\\b`).test(code),
  );
  return used.length === 0
    ? ''
    : `import { ${used.join(', ')} } from '${join(root, page).replace(/\.tsx?$/, '.js')}'; `;
}

/** `// file: name.ts` names the block for others to import; `// no-run: reason` has it type-checked only. */
function readDirective({ code }: Snippet): {
  readonly fileName?: string | undefined;
  readonly noRun?: string | undefined;
} {
  const [, kind, value] = /^\/\/ (file|no-run):[ ]*(.*)$/m.exec(code.split('\n', 1)[0] ?? '') ?? [];
  if (kind === 'file') return { fileName: value };
  return kind === 'no-run' ? { noRun: value?.trim() } : {};
}
