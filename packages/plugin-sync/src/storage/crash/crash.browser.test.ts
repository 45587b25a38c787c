import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { hasChromium } from '../../../test/browser/chromium.js';
import type { CrashPage } from '../../../test/browser/crash.page.js';
import { type MortalBrowser, startMortalBrowser } from '../../../test/browser/mortal-browser.js';
import { bundleForPage, openPage } from '../../../test/browser/open-browser.js';
import { tellAfter } from '../contract/numbered-batches.js';

const PAGE = fileURLToPath(new URL('../../../test/browser/crash.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const crashPage: CrashPage;

async function start(profile: string): Promise<MortalBrowser> {
  const mortal = await startMortalBrowser(profile);
  onTestFinished(() => mortal.kill());
  return mortal;
}

async function pageIn(browser: Browser, bundle: string): Promise<Page> {
  const page = await (browser.contexts()[0] ?? (await browser.newContext())).newPage();
  await openPage(page, bundle);
  return page;
}

/** Lets a page write, kills its browser when it has reported so many batches, and returns the last it reported. */
async function writeUntilKilled({ browser, kill }: MortalBrowser, bundle: string, reports: number): Promise<number> {
  const page = await pageIn(browser, bundle);
  let last = 0;
  let count = 0;
  let enough = () => {};
  const reported = new Promise<void>((resolve) => {
    enough = resolve;
  });
  await page.exposeFunction('report', (n: number) => {
    last = n;
    if (++count === reports) enough();
  });
  const writing = page.evaluate('crashPage.write(report)');
  await Promise.race([reported, writing]);
  await kill();
  await expect(writing).rejects.toThrow('closed');
  return last;
}

test.skipIf(!hasChromium)(
  'I1 loses nothing it reported, and keeps no half of a batch, when the browser is killed',
  async () => {
    const bundle = await bundleForPage(PAGE);
    const profile = await mkdtemp(join(tmpdir(), 'browser-crash-'));
    onTestFinished(() => rm(profile, { recursive: true, maxRetries: 3 }));
    let kept = 0;
    for (const reports of [1, 60, 7]) {
      const reported = await writeUntilKilled(await start(profile), bundle, reports);
      const { browser, kill } = await start(profile);
      const page = await pageIn(browser, bundle);
      const { last, told } = await page.evaluate(() => crashPage.read());
      expect(last).toBeGreaterThanOrEqual(reported);
      expect(last).toBeGreaterThan(kept);
      expect(told).toEqual(await tellAfter(last));
      kept = last;
      await kill();
    }
  },
  60_000,
);
