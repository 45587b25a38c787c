import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const TSX = createRequire(import.meta.url).resolve('tsx/cli');
const BENCH = fileURLToPath(new URL('./bench.ts', import.meta.url));

test.each([
  ['all goes well', '--no-warnings', 0],
  ['a case fails', '--no-such-flag', 1],
])('tells who called it whether %s', async (_, clientFlags, code) => {
  const folder = await mkdtemp(join(tmpdir(), 'objectql-sync-bench-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const options = ['--quick', '--workloads', 'W6', '--contestants', 'memory', '--out', join(folder, 'result.json')];
  const env = { ...process.env, BENCH_CLIENT_FLAGS: clientFlags };
  const run = spawn(process.execPath, [TSX, BENCH, ...options], { env, stdio: 'ignore' });
  expect(await once(run, 'exit')).toEqual([code, null]);
});
