import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import { bundleForPage, openBrowser, openPage } from '../../test/browser/open-browser.js';
import type { PageTests } from '../../test/browser/page-tests.js';

const PAGE = fileURLToPath(new URL('../../test/browser/react.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const pageTests: PageTests;

/** The oldest React the hooks promise to work with, and the newest. */
const REACTS = [
  { version: 18, react: 'react-18', reactDom: 'react-dom-18' },
  { version: 19, react: 'react', reactDom: 'react-dom' },
];

describe.skipIf(!hasChromium)('the hooks in Chromium', async () => {
  if (!hasChromium) return;
  const browser = await openBrowser();
  afterAll(() => browser.close());

  for (const { version, react, reactDom } of REACTS) {
    const page = await browser.newPage();
    await openPage(page, await bundleForPage(PAGE, { react: folderOf(react), 'react-dom': folderOf(reactDom) }));
    for (const [index, title] of (await page.evaluate(() => pageTests.titles())).entries()) {
      it(`React ${version} ${title}`, async () => {
        expect(await page.evaluate((test) => pageTests.run(test), index)).toBeNull();
      });
    }
  }
});

function folderOf(name: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)));
}
