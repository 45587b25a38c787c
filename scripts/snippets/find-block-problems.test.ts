import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { findBlockProblems } from './find-block-problems.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What is said of a block of that language that starts on line 10. */
function problemsOf(language: string, code: string): readonly string[] {
  return findBlockProblems({ page: 'a.md', line: 10, language, code }, ROOT).map(
    ({ line, problem }) => `${line} ${problem}`,
  );
}

test('passes blocks that say what is so', () => {
  const sound = [
    problemsOf('json', '{ "a": [1] }'),
    problemsOf('yaml', 'name: task\nfields: { title: { type: string } }\nsync: { enabled: true, strategy: crdt }'),
    problemsOf('yaml', 'services:\n  postgres: { image: postgres }'),
    problemsOf('text', 'anything'),
    problemsOf('mermaid', 'graph LR'),
    problemsOf('ts', '// file: db.ts\nexport const db = 1;'),
    problemsOf('ts', '// no-run: it serves until it is stopped\nserve();'),
  ];
  expect(sound).toEqual(sound.map(() => []));
});

test('refuses a block that nothing would check', () => {
  expect([problemsOf('', 'x'), problemsOf('ruby', 'puts 1')]).toEqual([
    ['10 the block names no language; use ts, js, yaml, json or sh, or text when it is only to be read'],
    ['10 nothing checks a block of ruby; use ts, js, yaml, json or sh, or text when it is only to be read'],
  ]);
});

test('refuses a program that is not run without a reason', () => {
  expect(problemsOf('ts', '// no-run:\nserve();')).toEqual([
    '10 no-run needs a reason: // no-run: starts a server that stays up',
  ]);
});

test('refuses data that does not parse, and metadata that sync would refuse', () => {
  expect(problemsOf('json', '{ a: 1 }')[0]).toMatch(/^10 .*JSON/);
  expect(problemsOf('yaml', 'a: [1')[0]).toMatch(/^10 Flow sequence/);
  expect(problemsOf('yaml', 'name: task\nsync: { enabled: true, stratgey: crdt }')).toEqual([
    '10 a.md:2:24 sync.stratgey: unknown key; did you mean strategy?',
  ]);
});

describe('a shell block', () => {
  test('may use scripts, tools and packages of this repository, and what every machine has', () => {
    const code = [
      '$ npx -y pnpm@10 test   # installs first',
      'npx -y pnpm@10 demo && pnpm run check',
      'git clone https://example.com/x.git && cd packages/sync-types',
      'pnpm build | cat',
      'cd ../..',
      'PORT=3000 pnpm -C packages/sync-types build',
      'pnpm add @objectql/plugin-sync',
      'npm install -D typescript@5 yaml',
      'npx biome check .',
      'node scripts/vitest.config.ts',
      '',
      '# only a comment',
    ].join('\n');
    expect(problemsOf('sh', code)).toEqual([]);
  });

  test('is refused for each command that nobody could run, on its line', () => {
    const code = [
      'pnpm testt',
      'pnpm check && npx -y pnpm@10 run demmo',
      'cd packages/nowhere',
      'npx -y cowsay hello',
      'brew install node',
      'npm install left-pad',
    ].join('\n');
    expect(problemsOf('sh', code)).toEqual([
      '10 testt is neither a script of package.json nor a tool installed here',
      '11 demmo is neither a script of package.json nor a tool installed here',
      '12 there is no packages/nowhere',
      '13 cowsay is not a tool that is installed here',
      '14 brew is not a command that this repository knows',
      '15 left-pad: not installed in this repository, so nobody tried it',
    ]);
  });

  test('is refused for a file that is not there', () => {
    expect(problemsOf('sh', 'node nowhere.js\nnpx tsx examples/nowhere.ts')).toEqual([
      '10 there is no nowhere.js',
      '11 there is no examples/nowhere.ts',
    ]);
  });
});
