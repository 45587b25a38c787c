/** Runs a block as a program of its own. */
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import type { SnippetProblem } from './snippet.js';
import type { SnippetModule } from './snippet-module.js';

/** The loader itself, so that a block is one process, which a timeout really ends. */
const TSX = import.meta.resolve('tsx');

/** What a reader who runs the block would see go wrong: an exit code that is not 0, or no end within `timeoutMs`. */
export function runModule(module: SnippetModule, timeoutMs: number): Promise<SnippetProblem | undefined> {
  const { page, line } = module.snippet;
  const options = { cwd: dirname(module.file), timeout: timeoutMs, killSignal: 'SIGKILL' as const };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--import', TSX, module.file], options, (error, stdout, stderr) => {
      if (!error) resolve(undefined);
      else {
        const end = error.killed ? `did not end within ${timeoutMs} ms` : `ended with exit code ${error.code}`;
        resolve({ page, line, problem: `${end}\n${stdout}${stderr}`.trimEnd() });
      }
    });
  });
}
