/** Checks that the commands a page tells people to type exist in this repository. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Snippet, SnippetProblem } from './snippet.js';

/** Commands that come with a machine, whatever their arguments. */
const SYSTEM_COMMANDS = new Set(['cat', 'cp', 'curl', 'echo', 'export', 'git', 'ls', 'mkdir', 'rm']);
/** What package managers do by themselves, where a name is that of a package. */
const INSTALLING = new Set(['add', 'i', 'install']);
const BUILTINS = new Set(['exec', 'init', 'pack', 'pkg', 'publish', 'store']);

/** The commands of a shell block that nobody could run in the repository at `root`. */
export function findShellProblems(snippet: Snippet, root: string): readonly SnippetProblem[] {
  let place: Place = { root, folder: root };
  return splitCommands(snippet).flatMap(({ line, words }) => {
    const [command = '', ...args] = words;
    // Each line is typed where the one before it left the reader.
    if (command === 'cd') place = { root, folder: join(place.folder, args[0] ?? '.') };
    const problem = command === 'cd' ? findMissing(place.folder, root) : findCommandProblem(command, args, place);
    return problem === undefined ? [] : [{ page: snippet.page, line, problem }];
  });
}

/** Where a command is typed; both absolute. */
interface Place {
  readonly root: string;
  readonly folder: string;
}

interface Command {
  readonly line: number;
  readonly words: readonly string[];
}

/** Each command on its own, without prompt, comment and the variables set before it; `a && b | c` are three. */
function splitCommands({ code, line }: Snippet): readonly Command[] {
  return code.split('\n').flatMap((text, index) => {
    const commands = text
      .replace(/^\s*\$ /, '')
      .replace(/(^|\s)#.*$/, '')
      .split(/&&|\|\||[;|]/);
    const words = commands.map((command) =>
      command
        .trim()
        .replace(/^(\w+=\S* +)+/, '')
        .split(/\s+/),
    );
    return words.filter(([first]) => first !== '').map((found) => ({ line: line + index, words: found }));
  });
}

function findCommandProblem(command: string, args: readonly string[], place: Place): string | undefined {
  switch (command) {
    case 'npx':
      return findNpxProblem(args, place);
    case 'pnpm':
    case 'npm':
      return findScriptProblem(args, place);
    case 'node':
    case 'tsx':
      return findMissing(join(place.folder, args.find((word) => !word.startsWith('-')) ?? ''), place.root);
    default:
      return SYSTEM_COMMANDS.has(command) ? undefined : `${command} is not a command that this repository knows`;
  }
}

function findNpxProblem(args: readonly string[], place: Place): string | undefined {
  const [tool = '', ...rest] = args.filter((word) => word !== '-y' && word !== '--yes');
  const name = withoutVersion(tool);
  if (name === 'pnpm' || name === 'tsx') return findCommandProblem(name, rest, place);
  return hasTool(name, place) ? undefined : `${name} is not a tool that is installed here`;
}

function findScriptProblem(args: readonly string[], { root, folder }: Place): string | undefined {
  const [first = 'install', second = '', ...rest] = args;
  if (first === '-C' || first === '--dir') return findScriptProblem(rest, { root, folder: join(folder, second) });
  if (first === 'run') return findScriptProblem([second, ...rest], { root, folder });
  if (INSTALLING.has(first)) return findPackageProblem([second, ...rest], root);
  if (first in readScripts(folder) || hasTool(first, { root, folder }) || BUILTINS.has(first)) return undefined;
  return `${first} is neither a script of ${relative(root, join(folder, 'package.json'))} nor a tool installed here`;
}

/** A page has people install only what this repository has installed itself, and so has tried. */
function findPackageProblem(words: readonly string[], root: string): string | undefined {
  const names = words.filter((word) => word !== '' && !word.startsWith('-')).map(withoutVersion);
  const places = [root, join(root, 'docs'), ...foldersIn(join(root, 'packages')), ...foldersIn(join(root, 'examples'))];
  const unknown = names.filter((name) => !places.some((place) => existsSync(join(place, 'node_modules', name))));
  return unknown.length === 0
    ? undefined
    : `${unknown.join(', ')}: not installed in this repository, so nobody tried it`;
}

function findMissing(path: string, root: string): string | undefined {
  return existsSync(path) ? undefined : `there is no ${relative(root, path)}`;
}

function hasTool(name: string, { root, folder }: Place): boolean {
  return [root, folder].some((place) => existsSync(join(place, 'node_modules/.bin', name)));
}

function readScripts(folder: string): object {
  const file = join(folder, 'package.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')).scripts ?? {}) : {};
}

function foldersIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
}

/** `pnpm@10` is `pnpm`, and `@scope/tool@1` is `@scope/tool`. */
function withoutVersion(name: string): string {
  return name.replace(/(?<=.)@[^@/]+$/, '');
}
