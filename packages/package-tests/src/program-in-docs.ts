/** The programs of the docs that run only where their users run them. */
import { readFile } from 'node:fs/promises';
import { extractSnippets } from '../../../scripts/snippets/extract-snippets.js';

/** The program on a page, as `docs/browser.md`, that holds this text. */
export async function programInDocs(page: string, text: string): Promise<string> {
  const markdown = await readFile(new URL(`../../../${page}`, import.meta.url), 'utf8');
  const program = extractSnippets(page, markdown).find(({ code }) => code.includes(text));
  if (!program) throw new Error(`No program on ${page} holds ${text}.`);
  return program.code;
}
