import { expect, test } from 'vitest';
import { extractDocstringSnippets, extractSnippets } from './extract-snippets.js';

test('finds every block with its page, its line and its language', () => {
  const markdown = [
    '# Title',
    '```ts title="a.ts"',
    'const a = 1;',
    '',
    'a;',
    '```',
    'text',
    '~~~sh',
    'ls',
    '~~~',
    '```',
    'x',
    '```',
  ];
  expect(extractSnippets('README.md', markdown.join('\n'))).toEqual([
    { page: 'README.md', line: 3, language: 'ts', code: 'const a = 1;\n\na;\n' },
    { page: 'README.md', line: 9, language: 'sh', code: 'ls\n' },
    { page: 'README.md', line: 12, language: '', code: 'x\n' },
  ]);
});

test('removes the indentation of a list, and keeps that of the code', () => {
  const markdown = ['1. Do this:', '   ```yaml', '   sync:', '     enabled: true', '   ```'].join('\n');
  expect(extractSnippets('a.md', markdown)).toEqual([
    { page: 'a.md', line: 3, language: 'yaml', code: 'sync:\n  enabled: true\n' },
  ]);
});

test('lets a longer fence hold a shorter one', () => {
  const markdown = ['````text', '```ts', 'a', '```', '````'].join('\n');
  expect(extractSnippets('a.md', markdown)).toEqual([
    { page: 'a.md', line: 2, language: 'text', code: '```ts\na\n```\n' },
  ]);
});

test('refuses a block without an end', () => {
  expect(() => extractSnippets('a.md', 'x\n```ts\na\n')).toThrow('a.md:2: this block has no end. Close it with ```.');
});

test('finds the blocks of docstrings at the lines of their source, and no others', () => {
  const source = [
    'const fence = "```ts";',
    '/**',
    ' * Adds.',
    ' * ```ts',
    ' * if (1) {',
    ' *   add(1, 2);',
    ' * }',
    ' * ```',
    ' */',
    '// ```js',
    'export function add() {}',
    'export type Sum = number;',
    'function subtract() {}',
  ].join('\n');
  expect(extractDocstringSnippets('add.ts', source)).toEqual([
    { page: 'add.ts', line: 5, language: 'ts', code: 'if (1) {\n  add(1, 2);\n}\n', scope: ['add'] },
  ]);
});
