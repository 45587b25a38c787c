/** A browser with a profile of its own that a test may kill as a crash would. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { type Browser, chromium } from 'playwright-core';
import { WAIT_LIMIT_MS } from '../../../../vitest.limits.js';
import { chromiumCommand } from './chromium.js';

export interface MortalBrowser {
  readonly browser: Browser;
  /** Ends all of its processes at once and resolves when it is gone. May be called again. */
  kill(): Promise<void>;
  /** Has it end as when its user quits, with all that it has begun to write, and resolves when it is gone. */
  quit(): Promise<void>;
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
  // All of its processes hold the error output, so it closes with the last of them. One that dies later than the first
  // would still have the profile locked when the next browser opens it.
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const browser = await chromium.connectOverCDP(await debuggingUrl(child.stderr), { timeout: WAIT_LIMIT_MS });
  child.stderr.resume();
  return {
    browser,
    async kill() {
      if (child.signalCode === null && child.exitCode === null) process.kill(-Number(child.pid), 'SIGKILL');
      await gone;
    },
    async quit() {
      const session = await browser.newBrowserCDPSession();
      await session.send('Browser.close');
      await gone;
    },
  };
}

async function debuggingUrl(stderr: Readable): Promise<string> {
  for await (const line of createInterface({ input: stderr })) {
    const url = /^DevTools listening on (ws:.+)$/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('The browser ended before it told its address.');
}
