import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import type { IndexedDbPage } from '../../test/browser/indexeddb.page.js';
import { bundleForPage, openBrowser, openPage } from '../../test/browser/open-browser.js';
import type { PageTests } from '../../test/browser/page-tests.js';
import type { BaseRecord, StorageBatch } from './client-storage.js';
import { sampleEntry, sampleMeta, sampleRecord } from './contract/storage-samples.js';

const PAGE = fileURLToPath(new URL('../../test/browser/indexeddb.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const pageTests: PageTests;
declare const indexedDbPage: IndexedDbPage;

describe.skipIf(!hasChromium)('IndexedDbStorage in Chromium', async () => {
  if (!hasChromium) return;
  const bundle = await bundleForPage(PAGE);
  const browser = await openBrowser();
  const context = await browser.newContext();
  const page = await openTab();
  const titles = await page.evaluate(() => pageTests.titles());

  afterAll(() => browser.close());

  for (const [index, title] of titles.entries()) {
    it(title, async () => {
      expect(await page.evaluate((test) => pageTests.run(test), index)).toBeNull();
    });
  }

  it('writes each batch in one transaction that waits for the disk', async () => {
    await page.evaluate(() => {
      const { transaction } = IDBDatabase.prototype;
      const seen: unknown[] = [];
      Object.assign(globalThis, { seen });
      IDBDatabase.prototype.transaction = function (stores, mode, options) {
        seen.push([mode, options?.durability]);
        return transaction.call(this, stores, mode, options);
      };
    });
    await commit(page, 'durable', {
      expectCheckpoint: null,
      meta: sampleMeta(),
      putRecords: [sampleRecord()],
      sweepWalk: 'w',
    });
    expect(await page.evaluate('seen')).toEqual([['readwrite', 'strict']]);
  });

  it('is shared by tabs, of which one moves the checkpoint', async () => {
    const otherTab = await openTab();
    await commit(page, 'shared', { meta: sampleMeta({ checkpoint: 'c1' }) });
    await commit(otherTab, 'shared', { expectCheckpoint: 'c1', meta: sampleMeta({ checkpoint: 'c2' }) });
    const late = await commit(page, 'shared', { expectCheckpoint: 'c1', putEntries: [sampleEntry('m1')] });
    expect(late).toBe('CheckpointMovedError');
    expect(await load(page, 'shared')).toEqual(await load(otherTab, 'shared'));
    await otherTab.close();
  });

  it('fails when the database was deleted under it, rather than start anew in silence', async () => {
    await commit(page, 'deleted', { meta: sampleMeta() });
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          indexedDB.deleteDatabase('deleted').onsuccess = resolve;
        }),
    );
    expect(await commit(page, 'deleted', { putEntries: [sampleEntry('m1')] })).toBe('DAMAGED');
    expect(await load(page, 'deleted')).toBe('DAMAGED');
    const otherTab = await openTab();
    expect(await load(otherTab, 'deleted')).toEqual({ meta: null, entries: [], conflicts: [], deadLetters: [] });
    await otherTab.close();
  });

  it('gives way to a newer version of the app, and then refuses its database', async () => {
    await commit(page, 'newer', { meta: sampleMeta() });
    const otherTab = await openTab();
    await otherTab.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open('newer', 2);
          opening.onsuccess = resolve;
          opening.onerror = reject;
        }),
    );
    expect(await commit(page, 'newer', { putEntries: [sampleEntry('m1')] })).toBe('TOO_NEW');
    await otherTab.close();
  });

  it('stores nothing of a batch of which a part cannot be stored', async () => {
    const errors: Error[] = [];
    page.on('pageerror', (error) => errors.push(error));
    await commit(page, 'partial', { meta: sampleMeta(), putEntries: [sampleEntry('m1')] });
    const before = await load(page, 'partial');
    // No type lets an id like this through; it stands for whatever an engine may find wrong in the middle of a batch.
    const unstorable = { ...sampleRecord(), recordId: {} } as unknown as BaseRecord;
    const putRecords = [sampleRecord({ recordId: 'a' }), unstorable, sampleRecord({ recordId: 'b' })];
    expect(await commit(page, 'partial', { removeEntries: ['m1'], putRecords })).toBe('FAILED');
    expect(await load(page, 'partial')).toEqual(before);
    expect(errors).toEqual([]);
  });

  it('stores nothing of a batch for which there is no room, and goes on with those that fit', async () => {
    const small = await browser.newContext();
    const tab = await openTab(small);
    const devTools = await small.newCDPSession(tab);
    await devTools.send('Storage.overrideQuotaForOrigin', { origin: 'http://app.test', quotaSize: 1_000_000 });
    await commit(tab, 'full', { meta: sampleMeta(), putEntries: [sampleEntry('m1')] });
    const before = await load(tab, 'full');
    // Chromium compresses what it stores.
    const data = { text: randomBytes(4_000_000).toString('base64') };
    expect(await commit(tab, 'full', { removeEntries: ['m1'], putRecords: [sampleRecord({ data })] })).toBe('FULL');
    expect(await load(tab, 'full')).toEqual(before);
    expect(await commit(tab, 'full', { removeEntries: ['m1'], putRecords: [sampleRecord()] })).toBeUndefined();
    await small.close();
  });

  async function openTab(of: BrowserContext = context): Promise<Page> {
    const tab = await of.newPage();
    await openPage(tab, bundle);
    return tab;
  }
});

function commit(tab: Page, name: string, batch: StorageBatch): Promise<unknown> {
  // As JSON, because playwright's type for what may be handed in has no end for a type as deep as ours.
  return tab.evaluate(([to, json]) => indexedDbPage.commit(to, JSON.parse(json)), [
    name,
    JSON.stringify(batch),
  ] as const);
}

function load(tab: Page, name: string): Promise<unknown> {
  return tab.evaluate((given) => indexedDbPage.load(given), name);
}
