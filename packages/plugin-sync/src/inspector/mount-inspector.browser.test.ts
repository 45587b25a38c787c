import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import { bundleForPage, openBrowser, openPage } from '../../test/browser/open-browser.js';
import type { PageTests } from '../../test/browser/page-tests.js';

const PAGE = fileURLToPath(new URL('../../test/browser/inspector.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const pageTests: PageTests;

describe.skipIf(!hasChromium)('the panel in Chromium', async () => {
  if (!hasChromium) return;
  const browser = await openBrowser();
  afterAll(() => browser.close());
  const page = await browser.newPage();
  await openPage(page, await bundleForPage(PAGE));
  for (const [index, title] of (await page.evaluate(() => pageTests.titles())).entries()) {
    it(title, async () => {
      expect(await page.evaluate((test) => pageTests.run(test), index)).toBeNull();
    });
  }
});
