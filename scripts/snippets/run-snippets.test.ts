/** The checks of programs can fail: what a page gets wrong is found, at the line of the page. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WAIT_LIMIT_MS } from '../../vitest.limits.js';
import { extractDocstringSnippets, extractSnippets } from './extract-snippets.js';
import { runModule } from './run-module.js';
import { type SnippetModule, writeModules } from './snippet-module.js';
import { typeCheck } from './type-check.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FENCE = '```';
let folder: string;

beforeAll(async () => {
  // Inside the repository, so that blocks find its packages.
  await mkdir(join(ROOT, 'scripts/.tmp'), { recursive: true });
  folder = await mkdtemp(join(ROOT, 'scripts/.tmp/snippets-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** The programs of a page whose blocks are these, each with the line it starts on. */
function modulesOf(...blocks: readonly string[]): Promise<readonly SnippetModule[]> {
  const markdown = blocks.map((block) => `${FENCE}ts\n${block}\n${FENCE}`).join('\n');
  return writeModules(extractSnippets('docs/a.md', markdown), { folder, root: ROOT });
}

describe('typeCheck', () => {
  test('passes blocks that import packages of this repository and each other', async () => {
    const modules = await modulesOf(
      "// file: key.ts\nimport { recordKey } from '@objectql/sync-types';\nexport const key = recordKey({ objectName: 'task', recordId: 1 });",
      "import { key } from './key.js';\nconst unused: string = key;\nawait Promise.resolve();",
    );
    expect(typeCheck(modules)).toEqual([]);
  });

  test('finds each mistake at its line of the page', async () => {
    const modules = await modulesOf(
      "const a: number = 'text';",
      "const fine = 1;\nimport { nothing } from '@objectql/sync-types';",
    );
    expect(typeCheck(modules)).toEqual([
      { page: 'docs/a.md', line: 2, problem: "Type 'string' is not assignable to type 'number'." },
      { page: 'docs/a.md', line: 6, problem: `Module '"@objectql/sync-types"' has no exported member 'nothing'.` },
    ]);
  });
});

describe('runModule', () => {
  test('passes a block that comes to its end, with the blocks it imports', async () => {
    const [, second] = await modulesOf(
      '// file: one.ts\nexport const one: number = 1;',
      "import { one } from './one.js';\nif (one !== 1) throw new Error();",
    );
    expect(second && (await runModule(second, WAIT_LIMIT_MS))).toBeUndefined();
  });

  test('finds a block that throws, and shows what it printed', async () => {
    const [module] = await modulesOf("console.log('before');\nthrow new Error('broken');");
    const found = module && (await runModule(module, WAIT_LIMIT_MS));
    expect(found?.problem.split('\n').slice(0, 2)).toEqual(['ended with exit code 1', 'before']);
    expect(found?.problem).toContain('Error: broken');
  });

  test('finds a block that prints something else than it says, or than a block says that it imports', async () => {
    const [, right, wrong] = await modulesOf(
      "// file: said.ts\nexport const log = console.log;\nconsole.log({ a: 1, b: '(x)' }); // { a: 1, … '(x)' }",
      "import './said.js';\nconsole.log(['y'.repeat(80)]); // [ 'yy…y' ]",
      "import './said.js';\nconsole.log('one'); // two",
    );
    expect(right && (await runModule(right, WAIT_LIMIT_MS))).toBeUndefined();
    expect(wrong && (await runModule(wrong, WAIT_LIMIT_MS))?.problem.split('\n')).toEqual([
      'did not print two, but',
      "{ a: 1, b: '(x)' }",
      'one',
    ]);
  });

  test('finds a block that never ends', async () => {
    const [module] = await modulesOf('setInterval(() => {}, 1000);');
    expect(module && (await runModule(module, 500))).toEqual({
      page: 'docs/a.md',
      line: 2,
      problem: 'did not end within 500 ms',
    });
  });
});

test('a block of a docstring uses what its source exports without importing it', async () => {
  const source = `/**\n * ${FENCE}ts\n * const keys = ['1', 1].map((recordId) => recordKey({ objectName: 'a', recordId }));\n * if (keys[0] === keys[1]) throw new Error();\n * ${FENCE}\n */\nexport function recordKey() {}\n`;
  const modules = await writeModules(extractDocstringSnippets('packages/sync-types/src/record-key.ts', source), {
    folder,
    root: ROOT,
  });
  expect(typeCheck(modules)).toEqual([]);
  expect(modules[0] && (await runModule(modules[0], WAIT_LIMIT_MS))).toBeUndefined();
});

test('a block runs by itself unless it says why not, or a later block of its page imports it', async () => {
  const modules = await modulesOf(
    '// file: used.ts\nexport {};',
    '// file: unused.ts\nexport {};',
    '// no-run: it serves until it is stopped\nexport {};',
    "import './used.js';",
  );
  expect(modules.map(({ runs }) => runs)).toEqual([false, true, false, true]);
});
