/** Runs a block as a program of its own. */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { bundleProgram } from '../build/bundle-program.js';
import type { SnippetProblem } from './snippet.js';
import type { SnippetModule } from './snippet-module.js';

/**
 * What a reader who runs the block would see go wrong: an exit code that is not 0, no end within `timeoutMs`, or other
 * output than the page says.
 */
export async function runModule(module: SnippetModule, timeoutMs: number): Promise<SnippetProblem | undefined> {
  const { page, line } = module.snippet;
  const options = { cwd: dirname(module.file), timeout: timeoutMs, killSignal: 'SIGKILL' as const };
  const program = await bundleProgram(module.file);
  return new Promise((resolve) => {
    execFile(process.execPath, ['--enable-source-maps', program], options, (error, stdout, stderr) => {
      const unprinted = module.prints.find((text) => !isIn(stdout, text));
      const found = (what: string) => resolve({ page, line, problem: `${what}\n${stdout}${stderr}`.trimEnd() });
      if (error) found(error.killed ? `did not end within ${timeoutMs} ms` : `ended with exit code ${error.code}`);
      else if (unprinted !== undefined) found(`did not print ${unprinted}, but`);
      else resolve(undefined);
    });
  });
}

/** Whether `text`, in which `…` stands for anything, was printed, however it was broken into lines. */
function isIn(printed: string, text: string): boolean {
  const parts = text
    .replace(/\s/g, '')
    .split('…')
    .map((part) => part.replace(/[^\w]/g, '\\$&'));
  return new RegExp(parts.join('.*')).test(printed.replace(/\s/g, ''));
}
