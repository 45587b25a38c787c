/** Finds the code that people read: in pages, and in the docstrings that editors show. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { extractDocstringSnippets, extractSnippets } from './extract-snippets.js';
import type { Snippet } from './snippet.js';

/** Pages are Markdown files here; docstrings are read in the sources of packages. */
const PAGES = [
  /^(README|CONTRIBUTING)\.md$/,
  /^docs\/.+\.md$/,
  /^packages\/[^/]+\/README\.md$/,
  /^examples\/(.+\/)?README\.md$/,
];
const SOURCES = /^packages\/[^/]+\/src\/.+(?<!\.test|\.contract)\.tsx?$/;
const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', '.git', '.tmp', 'coverage']);

/** Every code block of the repository at `root`, page by page in the order of their paths. */
export function findSnippets(root: string): readonly Snippet[] {
  return listFiles(root, '').flatMap((path) => {
    if (PAGES.some((pattern) => pattern.test(path)))
      return extractSnippets(path, readFileSync(join(root, path), 'utf8'));
    if (SOURCES.test(path)) return extractDocstringSnippets(path, readFileSync(join(root, path), 'utf8'));
    return [];
  });
}

function listFiles(root: string, folder: string): readonly string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  return entries.flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) return [path];
    return entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name) ? listFiles(root, path) : [];
  });
}
