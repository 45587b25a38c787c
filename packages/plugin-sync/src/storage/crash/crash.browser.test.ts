import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { hasChromium } from '../../../test/browser/chromium.js';
import type { CrashPage } from '../../../test/browser/crash.page.js';
import { type MortalBrowser, startMortalBrowser } from '../../../test/browser/mortal-browser.js';
import { bundleForPage, openPage } from '../../../test/browser/open-browser.js';
import { type Told, tellAfter } from '../contract/numbered-batches.js';

const PAGE = fileURLToPath(new URL('../../../test/browser/crash.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const crashPage: CrashPage;

async function newProfile(): Promise<string> {
  const profile = await mkdtemp(join(tmpdir(), 'browser-crash-'));
  onTestFinished(() => rm(profile, { recursive: true, maxRetries: 3 }));
  return profile;
}

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

/** What ends a browser, and that browser. */
interface Ended {
  readonly browser: Browser;
  readonly end: () => Promise<void>;
}

/** Lets a page write, ends its browser when it has reported so many batches, and returns the last it reported. */
async function writeUntilEnded({ browser, end }: Ended, bundle: string, reports: number): Promise<number> {
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
  await end();
  await expect(writing).rejects.toThrow('closed');
  return last;
}

async function writeUntilKilled(profile: string, bundle: string, reports: number): Promise<number> {
  const { browser, kill } = await start(profile);
  return writeUntilEnded({ browser, end: kill }, bundle, reports);
}

/** What a browser that is started anew tells, and the last batch of that. */
async function readAnew(profile: string, bundle: string): Promise<{ readonly last: number; readonly told: Told }> {
  const { browser, kill } = await start(profile);
  const page = await pageIn(browser, bundle);
  const found = await page.evaluate(() => crashPage.read());
  await kill();
  return found;
}

/** What is left when the browser has lost its database: all but what the server can tell again. */
function withoutRecords({ state }: Told): Told {
  return { state: { ...state, meta: state.meta && { ...state.meta, checkpoint: null } }, records: [] };
}

test.skipIf(!hasChromium)(
  'I1 loses nothing it reported, and keeps no half of a batch, when the browser is killed',
  async () => {
    const bundle = await bundleForPage(PAGE);
    const profile = await newProfile();
    let kept = 0;
    for (const reports of [1, 60, 7]) {
      const reported = await writeUntilKilled(profile, bundle, reports);
      const { last, told } = await readAnew(profile, bundle);
      expect(last).toBeGreaterThanOrEqual(reported);
      expect(last).toBeGreaterThan(kept);
      const whole = await tellAfter(last);
      expect([whole, withoutRecords(whole)]).toContainEqual(told);
      kept = last;
    }
  },
);

test.skipIf(!hasChromium)(
  'I1 loses nothing it reported when the browser loses the database, or its copy, after crashes',
  async (context) => {
    const bundle = await bundleForPage(PAGE);
    const profile = await newProfile();
    for (const place of [DATABASE, COPY, DATABASE]) {
      const { browser, quit } = await start(profile);
      // Not killed: that might tear the other place as well.
      await writeUntilEnded({ browser, end: quit }, bundle, 3);
      if (!(await tearLog(profile, place))) return context.skip('This Chromium keeps IndexedDB in another way.');
      const reported = await writeUntilKilled(profile, bundle, 3);
      const { last, told } = await readAnew(profile, bundle);
      expect(last).toBeGreaterThanOrEqual(reported);
      const whole = await tellAfter(last);
      expect(told).toEqual(place === DATABASE ? withoutRecords(whole) : whole);
    }
  },
);

const DATABASE = /^IndexedDB\/.*\.leveldb\/\d+\.log$/;
const COPY = /^WebStorage\/\d+\/IndexedDB\/.*\.leveldb\/\d+\.log$/;

/** The start of a record of 490 bytes. Chromium writes it first, and then the rest: a crash may fall between the two. */
const HALF_A_RECORD = Uint8Array.of(1, 2, 3, 4, 490 & 0xff, 490 >> 8, 1);

/** Leaves the log of a database of a profile as a crash in the middle of a write does. False where there is no log. */
async function tearLog(profile: string, place: RegExp): Promise<boolean> {
  const paths = await readdir(join(profile, 'Default'), { recursive: true });
  const logs = paths.filter((path) => place.test(path));
  for (const log of logs) await appendFile(join(profile, 'Default', log), HALF_A_RECORD);
  return logs.length > 0;
}
