/** Every code block that people read is checked, and every program among them runs. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, inject, test } from 'vitest';
import { findBlockProblems } from '../scripts/snippets/find-block-problems.js';
import { findSnippets } from '../scripts/snippets/find-snippets.js';
import { runModule } from '../scripts/snippets/run-module.js';
import { placeOf } from '../scripts/snippets/snippet.js';
import { writeModules } from '../scripts/snippets/snippet-module.js';
import { typeCheck } from '../scripts/snippets/type-check.js';
import { WAIT_LIMIT_MS } from '../vitest.limits.js';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

// The programs are children of this process, and those that need PostgreSQL find it where users say where theirs is.
process.env.DATABASE_URL = inject('postgresUrl');

const snippets = findSnippets(ROOT);
// Below docs, whose dependencies are what a block may import.
const modules = await writeModules(snippets, { root: ROOT, folder: join(ROOT, 'docs/.tmp/snippets') });

test('every block is in a language that is checked, and holds what it says', () => {
  expect(snippets.flatMap((snippet) => findBlockProblems(snippet, ROOT))).toEqual([]);
});

test('every program type-checks', () => {
  const declared = ['docs/react-native-modules.d.ts', 'docs/cloudflare-modules.d.ts'].map((file) => join(ROOT, file));
  expect(typeCheck(modules, declared)).toEqual([]);
});

describe.concurrent('every program runs', () => {
  for (const module of modules.filter(({ runs }) => runs)) {
    test(placeOf(module.snippet), async () => {
      expect(await runModule(module, WAIT_LIMIT_MS)).toBeUndefined();
    });
  }
});
