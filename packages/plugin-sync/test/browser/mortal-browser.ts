/** A browser with a profile of its own that a test may kill as a crash would. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { type Browser, chromium } from 'playwright-core';
import { chromiumCommand } from './chromium.js';

export interface MortalBrowser {
  readonly browser: Browser;
  /** Ends all of its processes at once and resolves when it is gone. May be called again. */
  kill(): Promise<void>;
}

/** Starts a browser whose pages store things in the directory `profile`. */
export async function startMortalBrowser(profile: string): Promise<MortalBrowser> {
  const { executablePath, args } = await chromiumCommand();
  const child = spawn(
    executablePath,
    [...args, '--headless', '--disable-gpu', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    // A group of its own, so that all of its processes die together.
    { detached: true, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const browser = await chromium.connectOverCDP(await debuggingUrl(child));
  return {
    browser,
    async kill() {
      if (child.signalCode !== null) return;
      const exit = once(child, 'exit');
      process.kill(-Number(child.pid), 'SIGKILL');
      await exit;
    },
  };
}

async function debuggingUrl({ stderr }: ChildProcess): Promise<string> {
  if (!stderr) throw new Error('The browser has no error output to read its address from.');
  for await (const line of createInterface({ input: stderr })) {
    const url = /^DevTools listening on (ws:.+)$/.exec(line)?.[1];
    if (url === undefined) continue;
    stderr.resume();
    return url;
  }
  throw new Error('The browser ended before it told its address.');
}
