/** A link from page to page leads to a file that is there, and to a heading in it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../', import.meta.url));
const FOLDERS = ['', 'docs', 'docs/adr', ...foldersIn('packages'), ...foldersIn('examples')];
const pages = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
);

test('every link between pages leads to a file, and to a heading in it', () => {
  expect(
    pages.flatMap((page) =>
      linksOf(page)
        .filter((link) => !leads(page, link))
        .map((link) => [page, link]),
    ),
  ).toEqual([]);
});

test('what leads nowhere is noticed', () => {
  const links = ['README.md', '#commits-changesets-decisions', '#commits', 'docs/none.md', 'docs/errors.md#none'];
  expect(links.filter((link) => !leads('CONTRIBUTING.md', link))).toEqual([
    '#commits',
    'docs/none.md',
    'docs/errors.md#none',
  ]);
});

function foldersIn(folder: string): readonly string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return entries.flatMap((entry) => (entry.isDirectory() ? [join(folder, entry.name)] : []));
}

function linksOf(page: string): readonly string[] {
  const links = Array.from(proseOf(page).matchAll(/\]\(([^)\s]+)\)/g), ([, link = '']) => link);
  return links.filter((link) => !/^[a-z]+:/.test(link));
}

function leads(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? page : join(dirname(page), path);
  if (!existsSync(join(ROOT, target))) return false;
  return anchor === undefined || anchorsOf(target).includes(anchor);
}

/** The anchors that GitHub gives to a page's headings. No page here has one heading twice. */
function anchorsOf(page: string): readonly string[] {
  const headings = Array.from(proseOf(page).matchAll(/^#+ (.+)$/gm), ([, heading = '']) => heading.toLowerCase());
  return headings.map((heading) => heading.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-'));
}

/** A page without its code, which may hold what looks like a link or a heading. */
function proseOf(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8').replace(/^```[\s\S]*?^```$/gm, '');
}
