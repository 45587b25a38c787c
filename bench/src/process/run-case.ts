/** Runs one case in its own process. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Case, Measured } from '../case.js';
import type { WorkerReply } from './worker.js';

/** 3 minutes: far above any case; one that hangs does not hold up the rest. */
const TIMEOUT_MS = 180_000;

/** What the case measured with the code bundled in `folder`. Rejects when it fails. */
export function runCase(folder: string, asked: Case): Promise<Measured> {
  const execArgv = ['--expose-gc', '--max-old-space-size=8000', ...(process.env.BENCH_CLIENT_FLAGS?.split(' ') ?? [])];
  const child = fork(join(folder, 'worker.js'), [JSON.stringify(asked)], {
    execArgv,
    env: { ...process.env, NODE_ENV: 'production' },
  });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    child.once('message', (reply: WorkerReply) => {
      if ('error' in reply) reject(new Error(reply.error));
      else resolve(reply.measured);
    });
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`The process of this case ended with ${code ?? signal}.`));
    });
  });
}
