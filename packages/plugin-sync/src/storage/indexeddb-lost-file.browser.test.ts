import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import type { IndexedDbPage } from '../../test/browser/indexeddb.page.js';
import { commit } from '../../test/browser/indexeddb-calls.js';
import { startMortalBrowser } from '../../test/browser/mortal-browser.js';
import { bundleForPage, openPage } from '../../test/browser/open-browser.js';
import { temporaryDirectory } from '../../test/fixtures/temporary-directory.js';
import { sampleMeta, sampleRecord } from './contract/storage-samples.js';

const PAGE = fileURLToPath(new URL('../../test/browser/indexeddb.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const indexedDbPage: IndexedDbPage;

it.skipIf(!hasChromium)('reads the other records of a turn when the browser has lost the file of one', async () => {
  const profile = await temporaryDirectory();
  const before = await openTab(profile);
  // Chromium keeps large values in files of their own.
  const large = sampleRecord({ recordId: 'large', data: { text: randomBytes(200_000).toString('hex') } });
  await commit(before.tab, 'lost', { meta: sampleMeta(), putRecords: [large, sampleRecord({ recordId: 'small' })] });
  await before.quit();
  rmSync(join(profile, 'Default/IndexedDB/https_app.test_0.indexeddb.blob'), { recursive: true });
  const { tab } = await openTab(profile);
  const read = await tab.evaluate(() => indexedDbPage.readTasks('lost', ['small', 'large', 'small']));
  expect(read).toEqual(['small', 'FAILED', 'small']);
});

async function openTab(profile: string): Promise<{ readonly tab: Page; readonly quit: () => Promise<void> }> {
  const { browser, kill, quit } = await startMortalBrowser(profile);
  onTestFinished(kill);
  // Only the first context keeps what it stores.
  const [context] = browser.contexts();
  if (!context) throw new Error('The browser has no context.');
  const tab = await context.newPage();
  await openPage(tab, await bundleForPage(PAGE));
  return { tab, quit };
}
