/** Commands in a process of their own. */
import { execFile } from 'node:child_process';

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What the command printed. Throws with all it printed when it fails, because that is what explains the failure. */
export function run({ command, args, cwd }: Command): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`${command} ${args.join(' ')} failed in ${cwd}\n${stdout}${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}

/** Runs pnpm: the one these tests were started with, or else the one npx brings. */
export function runPnpm(args: readonly string[], cwd: string): Promise<string> {
  const started = process.env.npm_execpath;
  return started?.includes('pnpm')
    ? run({ command: process.execPath, args: [started, ...args], cwd })
    : run({ command: 'npx', args: ['-y', 'pnpm@10', ...args], cwd });
}
