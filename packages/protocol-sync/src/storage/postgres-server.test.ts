import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const VITEST = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const SETUP = fileURLToPath(new URL('./postgres-server.fixture.ts', import.meta.url));

// The database's package ends the process by itself once the tests are over.
test.each([
  ['fails', 1],
  ['passes', 0],
])('lets a run whose only test %s end with %i', { timeout: 60_000 }, async (what, code) => {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-run-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(
    join(folder, 'vitest.config.mjs'),
    `export default { test: { globals: true, globalSetup: ${JSON.stringify(SETUP)} } };`,
  );
  await writeFile(join(folder, 'only.test.mjs'), `test('it', () => expect('${what}').toBe('passes'));`);
  const { DATABASE_URL, ...env } = process.env;
  const run = spawn(process.execPath, [VITEST, 'run', '--root', folder], { env, stdio: 'ignore' });
  expect(await once(run, 'exit')).toEqual([code, null]);
});
