import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const tsx = createRequire(import.meta.url).resolve('tsx/cli');

it('tells a story in which a device is killed, every strategy decides, and all replicas end equal', async () => {
  const demo = fileURLToPath(new URL('./demo.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [tsx, demo]);
  expect(stdout).toMatch(/killed/);
  expect(stdout).toMatch(/restarted: [1-9]\d* mutations are still pending/);
  expect(stdout).toMatch(/onConflict adds both amounts up to 42/);
  expect(stdout).toMatch(/the user takes mine/);
  expect(stdout).toMatch(/note N1: body keeps the other value/);
  expect(stdout).toMatch(/All replicas hold the same records/);
});
