/** Finds the code blocks of Markdown pages and of the docstrings in sources. */
import type { Snippet } from './snippet.js';

/** The fenced blocks of a Markdown text, in order; the indentation of a block inside a list is removed. */
export function extractSnippets(page: string, markdown: string): readonly Snippet[] {
  const snippets: Snippet[] = [];
  let open:
    | { readonly fence: string; readonly indent: number; readonly language: string; readonly line: number }
    | undefined;
  let code: string[] = [];
  for (const [index, text] of markdown.split(/\r?\n/).entries()) {
    const fence = /^(\s*)(`{3,}|~{3,})\s*([^\s`{]*)/.exec(text);
    if (open === undefined) {
      if (fence)
        open = { fence: fence[2] ?? '', indent: fence[1]?.length ?? 0, language: fence[3] ?? '', line: index + 2 };
    } else if (fence?.[2]?.startsWith(open.fence) && fence[3] === '') {
      snippets.push({ page, line: open.line, language: open.language, code: `${code.join('\n')}\n` });
      open = undefined;
      code = [];
    } else {
      code.push(text.slice(0, open.indent).trim() === '' ? text.slice(open.indent) : text);
    }
  }
  if (open) throw new Error(`${page}:${open.line - 1}: this block has no end. Close it with ${open.fence}.`);
  return snippets;
}

/** The blocks in the docstrings of a TypeScript source; what the source exports is in their scope. */
export function extractDocstringSnippets(page: string, source: string): readonly Snippet[] {
  // Everything but the docstrings becomes empty lines, so that the numbers of the lines stay.
  let inside = false;
  const lines = source.split(/\r?\n/).map((text) => {
    const starts = /^\s*\/\*\*/.test(text);
    inside ||= starts;
    const content = inside ? text.replace(/^\s*(\/\*\*|\*(?!\/)) ?/, '').replace(/\*\/.*$/, '') : '';
    if (text.includes('*/')) inside = false;
    return content;
  });
  const exported = source.matchAll(/^export (?:abstract |async )*(?:class|function|const) (\w+)/gm);
  const scope = Array.from(exported, ([, name]) => name ?? '');
  return extractSnippets(page, lines.join('\n')).map((snippet) => ({ ...snippet, scope }));
}
