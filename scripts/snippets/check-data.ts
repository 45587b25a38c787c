/** Reads the blocks that are data. */
import { readObjectSync } from '@objectql/sync-types/object-yaml';
import { parseDocument } from 'yaml';
import type { Snippet, SnippetProblem } from './snippet.js';

/** What keeps a YAML block from being read. One with a `sync` block is read as an object's metadata. */
export function findYamlProblem(snippet: Snippet): SnippetProblem | undefined {
  return findProblem(snippet, () => {
    const document = parseDocument(snippet.code);
    if (document.errors[0]) throw document.errors[0];
    if (document.has('sync')) readObjectSync(snippet.code, { file: snippet.page });
  });
}

/** What keeps a JSON block from being read. */
export function findJsonProblem(snippet: Snippet): SnippetProblem | undefined {
  return findProblem(snippet, () => JSON.parse(snippet.code));
}

function findProblem({ page, line }: Snippet, read: () => void): SnippetProblem | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return { page, line, problem: error instanceof Error ? error.message : String(error) };
  }
}
