/** Reads the tables of a Markdown page. */

export interface Table {
  /** The heading above it, as it is written. */
  readonly heading: string;
  /** What it is about: the code in the heading, or in the first column where that says `call`. */
  readonly name: string;
  /** Code marks and the arguments of a listener are taken off the first cell. */
  readonly rows: readonly (readonly string[])[];
}

/** The tables of a page, in order. One whose first column says `call` is as many as there are calls. */
export function readTables(markdown: string): readonly Table[] {
  const tables: Table[] = [];
  let heading = '';
  for (const block of markdown.split(/\n(?=#)|\n\n/)) {
    const lines = block.split('\n');
    if (block.startsWith('#')) heading = block.replace(/^#+ /, '').split('\n', 1).join('');
    if (lines[0]?.startsWith('| ')) tables.push(...readTable(lines.map(cellsOf), heading));
  }
  return tables;
}

function readTable(lines: readonly (readonly string[])[], heading: string): readonly Table[] {
  const [titles = [], , ...rows] = lines;
  const [first = ''] = titles;
  if (first !== 'call') {
    const name = codeIn(first) ?? codeIn(heading) ?? '';
    return [{ heading, name, rows: rows.map(([cell = '', ...rest]) => [keyOf(cell), ...rest]) }];
  }
  const rowsByCall = new Map<string, (readonly string[])[]>();
  let call = '';
  for (const [cell = '', option = '', ...rest] of rows) {
    call = codeIn(cell) ?? call;
    const own = rowsByCall.get(call) ?? [];
    rowsByCall.set(call, option === '–' ? own : [...own, [keyOf(option), ...rest]]);
  }
  return [...rowsByCall].map(([name, own]) => ({ heading, name, rows: own }));
}

function cellsOf(line: string): readonly string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function codeIn(text: string): string | undefined {
  return /`([^`]+)`/.exec(text)?.[1];
}

function keyOf(cell: string): string {
  return cell.replaceAll('`', '').replace(/\(.*$/, '');
}
