/** A decision is referred to by its number, so each number stands for one. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const FOLDER = new URL('adr/', import.meta.url);
const files = readdirSync(FOLDER).sort();

test('the decisions are numbered from 1 without a gap or a number used twice', () => {
  expect(files.map((file) => Number(file.slice(0, 4)))).toEqual(files.map((_, index) => index + 1));
});

test('a decision carries the number of its file in its title', () => {
  const titles = files.map((file) => readFileSync(new URL(file, FOLDER), 'utf8').split(' ', 2).join(' '));
  expect(titles).toEqual(files.map((file) => `# ${Number(file.slice(0, 4))}.`));
});
