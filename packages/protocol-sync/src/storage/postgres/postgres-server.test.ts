import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';

const VITEST = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const SETUP = fileURLToPath(new URL('./postgres-server.fixture.ts', import.meta.url));

// The database's package ends the process by itself once the tests are over.
test.each([
  { what: 'fails', code: 1, database: 'one of its own' },
  { what: 'passes', code: 0, database: 'one of its own' },
  { what: 'fails', code: 1, database: 'the one it is given' },
])('lets a run whose only test $what on $database end with $code', async (tried) => {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-run-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(
    join(folder, 'vitest.config.mjs'),
    `export default { test: { globals: true, globalSetup: ${JSON.stringify(SETUP)} } };`,
  );
  await writeFile(join(folder, 'only.test.mjs'), `test('it', () => expect('${tried.what}').toBe('passes'));`);
  const { DATABASE_URL: _, ...env } = process.env;
  if (tried.database === 'the one it is given') env.DATABASE_URL = inject('postgresUrl');
  const run = spawn(process.execPath, [VITEST, 'run', '--root', folder], { env, stdio: 'ignore' });
  expect(await once(run, 'exit')).toEqual([tried.code, null]);
});
