import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import { commit, load } from '../../test/browser/indexeddb-calls.js';
import { bundleForPage, openBrowser, openPage } from '../../test/browser/open-browser.js';
import { sampleEntry, sampleMeta } from '../storage/contract/storage-samples.js';

const PAGE = fileURLToPath(new URL('../../test/browser/indexeddb.page.ts', import.meta.url));

describe.skipIf(!hasChromium)('a second IndexedDB in Chromium', async () => {
  if (!hasChromium) return;
  const browser = await openBrowser();

  afterAll(() => browser.close());

  it('I13 keeps nothing waiting when the page has collected its garbage', async () => {
    const page = await browser.newPage();
    await openPage(page, await bundleForPage(PAGE));
    await commit(page, 'garbage', { meta: sampleMeta(), putEntries: [sampleEntry('m1')] });
    const devTools = await page.context().newCDPSession(page);
    // What has a part in the browser's own memory is let go of by the second.
    for (let time = 0; time < 2; time++) await devTools.send('HeapProfiler.collectGarbage');
    await commit(page, 'garbage', { removeEntries: ['m1'] });
    expect(await load(page, 'garbage')).toMatchObject({ meta: sampleMeta(), entries: [] });
  });
});
