import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import type { IndexedDbPage } from '../../test/browser/indexeddb.page.js';
import { close, commit, load } from '../../test/browser/indexeddb-calls.js';
import { bundleForPage, openBrowser, openPage } from '../../test/browser/open-browser.js';
import type { PageTests } from '../../test/browser/page-tests.js';
import { eventually } from '../../test/fixtures/eventually.js';
import { FORMAT_CHANGED, GOLDEN, sampleWholeBatch } from '../../test/fixtures/whole-samples.js';
import type { BaseRecord } from './client-storage.js';
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

  it('writes each batch, and then its copy, in one transaction that waits for the disk', async () => {
    await load(page, 'durable');
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
    expect(await page.evaluate('seen')).toEqual([
      ['readwrite', 'strict'],
      ['readwrite', 'strict'],
    ]);
    await load(page, 'durable');
    await close(page, 'durable');
    await load(page, 'durable');
    expect(await page.evaluate("seen.filter(([mode]) => mode === 'readwrite').length")).toBe(2);
    expect(await page.evaluate(() => indexedDbPage.timers())).toEqual([]);
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
    expect(await commit(page, 'deleted', { putEntries: [sampleEntry('m1')] })).toBe('CLEARED');
    expect(await load(page, 'deleted')).toBe('CLEARED');
    expect(await page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).not.toContain(
      'deleted',
    );
    const otherTab = await openTab();
    expect(await load(otherTab, 'deleted')).toEqual({ meta: null, entries: [], conflicts: [], deadLetters: [] });
    await otherTab.close();
  });

  it('writes the committed format', async () => {
    await commit(page, 'format', sampleWholeBatch());
    const dump = await page.evaluate(async () => {
      const resultOf = <T>(request: IDBRequest<T>) =>
        new Promise<T>((resolve, reject) => {
          request.onsuccess = () => resolve(request.result);
          request.onerror = () => reject(request.error);
        });
      const database = await resultOf(indexedDB.open('format'));
      const transaction = database.transaction([...database.objectStoreNames]);
      const stores = [...database.objectStoreNames].map(async (name) => {
        const store = transaction.objectStore(name);
        const indexes = [...store.indexNames].map((index) => [index, store.index(index).keyPath]);
        const [keys, values] = await Promise.all([resultOf(store.getAllKeys()), resultOf(store.getAll())]);
        return { name, keyPath: store.keyPath, indexes, keys, values };
      });
      const { version } = database;
      const all = { version, stores: await Promise.all(stores) };
      database.close();
      return all;
    });
    await expect(`${JSON.stringify(dump, null, 2)}\n`, FORMAT_CHANGED).toMatchFileSnapshot(
      `${GOLDEN}indexeddb-storage.json`,
    );
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
    await devTools.send('Storage.overrideQuotaForOrigin', { origin: 'https://app.test', quotaSize: 1_000_000 });
    await commit(tab, 'full', { meta: sampleMeta(), putEntries: [sampleEntry('m1')] });
    const before = await load(tab, 'full');
    // Chromium compresses what it stores.
    const data = { text: randomBytes(4_000_000).toString('base64') };
    expect(await commit(tab, 'full', { removeEntries: ['m1'], putRecords: [sampleRecord({ data })] })).toBe('FULL');
    expect(await load(tab, 'full')).toEqual(before);
    expect(await commit(tab, 'full', { removeEntries: ['m1'], putRecords: [sampleRecord()] })).toBeUndefined();
    await small.close();
  });

  it('keeps in memory what there is no room for, says so, and stores it when there is', async () => {
    const small = await browser.newContext();
    const tab = await openTab(small);
    const devTools = await small.newCDPSession(tab);
    const origin = 'https://app.test';
    await devTools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 });
    const texts = Array.from({ length: 12 }, () => randomBytes(150_000).toString('base64'));
    await tab.evaluate((all) => {
      indexedDbPage.startClient('client');
      indexedDbPage.record(all);
    }, texts);
    await eventually(async () => expect((await clientState(tab)).codes).toContain('FULL'));
    const { status, stored } = await clientState(tab);
    expect([status, stored]).toEqual([
      expect.objectContaining({ pending: 12, isStorageFailing: true, attention: true }),
      0,
    ]);
    expect(status.lastError).toMatch(/no room left.*Free some space/);
    await devTools.send('Storage.overrideQuotaForOrigin', { origin });
    await tab.evaluate(() => indexedDbPage.advance(60_000));
    await eventually(async () => {
      const { status, stored } = await clientState(tab);
      expect(stored).toBe(12);
      expect(status).toMatchObject({ pending: 12, isStorageFailing: false, attention: false });
    });
    await small.close();
  });

  it('says at once that everything was deleted, and keeps what is not sent as long as the page is open', async () => {
    const tab = await openTab();
    await startClient(tab, 'signed out', ['mine']);
    const otherTab = await openTab();
    await otherTab.evaluate(() => void indexedDB.deleteDatabase('signed out'));
    await eventually(async () => expect((await clientState(tab)).codes).toEqual(['CLEARED']));
    const { status, stored } = await clientState(tab);
    expect([status.pending, status.isStorageFailing, stored]).toEqual([1, true, 'CLEARED']);
    expect(status.lastError).toMatch(/Reload the page to start anew/);
    await Promise.all([tab.close(), otherTab.close()]);
  });

  it('says where the browser keeps nothing for a site, and goes on in memory', async () => {
    const tab = await context.newPage();
    // A page without an origin may not store anything, like one whose site data is blocked.
    await tab.goto('data:text/html,<!doctype html>');
    await tab.addScriptTag({ content: bundle });
    expect(await load(tab, 'any')).toBe('UNAVAILABLE');
    await tab.evaluate(() => {
      indexedDbPage.startClient('any');
      indexedDbPage.record(['mine']);
    });
    await eventually(async () => expect((await clientState(tab)).codes).toContain('UNAVAILABLE'));
    expect((await clientState(tab)).status).toMatchObject({ pending: 1, isStorageFailing: true, attention: true });
    await tab.close();
  });

  it('gives up an opening that another tab holds up, and opens when that tab lets go', async () => {
    await commit(page, 'held', { meta: sampleMeta() });
    const holder = await openTab();
    // Deaf to the deletion that waits for it, as a frozen tab or one with an older version of the app may be.
    await holder.evaluate(async () => {
      const opening = indexedDB.open('held', 1);
      await new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      Object.assign(globalThis, { letGo: () => opening.result.close() });
      const deletion = indexedDB.deleteDatabase('held');
      await new Promise((resolve) => {
        deletion.onblocked = resolve;
      });
    });
    const tab = await openTab();
    let answer: unknown;
    void load(tab, 'held').then((told) => {
      answer = told;
    });
    await eventually(async () => {
      await tab.evaluate(() => indexedDbPage.advance(10_000));
      expect(answer).toBe('LOCKED');
    });
    await holder.evaluate('letGo()');
    expect(await load(tab, 'held')).toEqual({ meta: null, entries: [], conflicts: [], deadLetters: [] });
    await Promise.all([holder.close(), tab.close()]);
  });

  it('goes on when the browser has closed the connection', async () => {
    const tab = await openTab();
    await commit(tab, 'dropped', { meta: sampleMeta() });
    await tab.evaluate(() => {
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...args) {
        IDBDatabase.prototype.transaction = transaction;
        // Closed under its user: the next transaction throws as it would.
        this.close();
        return transaction.apply(this, args);
      };
    });
    expect(await commit(tab, 'dropped', { putEntries: [sampleEntry('m1')] })).toBeUndefined();
    expect(await load(tab, 'dropped')).toMatchObject({ entries: [sampleEntry('m1')] });
    await tab.close();
  });

  it('I1 says at once in every tab that the browser deleted everything, and keeps what is not sent', async () => {
    const own = await browser.newContext();
    const [first, second] = [await openTab(own), await openTab(own)];
    for (const [index, tab] of [first, second].entries()) {
      // One more in the second: with the same seed both make the same ids.
      await startClient(tab, 'evicted', ['mine', 'too'].slice(0, index + 1));
    }
    const devTools = await own.newCDPSession(first);
    await devTools.send('Storage.clearDataForOrigin', { origin: 'https://app.test', storageTypes: 'indexeddb' });
    for (const [index, tab] of [first, second].entries()) {
      await eventually(async () => {
        await tab.evaluate(() => indexedDbPage.advance(5000));
        const { status } = await tab.evaluate(() => indexedDbPage.told());
        expect(status).toMatchObject({ pending: index + 1, attention: true, lastErrorCode: 'CLEARED' });
      });
    }
    expect(await first.evaluate(() => indexedDB.databases())).toEqual([]);
    const third = await openTab(own);
    expect(await load(third, 'evicted')).toEqual({ meta: null, entries: [], conflicts: [], deadLetters: [] });
    await own.close();
  });

  it('I13 answers each batch that the browser closes the connection under', async () => {
    const own = await browser.newContext();
    const tab = await openTab(own);
    await commit(tab, 'cut off', { meta: sampleMeta() });
    // Many, so that the end comes in the middle of a transaction.
    const putRecords = Array.from({ length: 500 }, (_, recordId) => sampleRecord({ recordId }));
    const refused = tab.evaluate(async (json) => {
      for (;;) {
        const outcomes = await Promise.all([1, 2, 3].map(() => indexedDbPage.commit('cut off', JSON.parse(json))));
        if (outcomes.some((outcome) => outcome !== undefined)) return outcomes.length;
      }
    }, JSON.stringify({ putRecords }));
    const devTools = await own.newCDPSession(tab);
    await devTools.send('Storage.clearDataForOrigin', { origin: 'https://app.test', storageTypes: 'indexeddb' });
    let answers: unknown;
    void refused.then((count) => {
      answers = count;
    });
    await eventually(async () => {
      // An opening that the browser cuts off as well is given up by the clock.
      await tab.evaluate(() => indexedDbPage.advance(10_000));
      expect(answers).toBe(3);
    });
    await own.close();
  });

  it('says at once that a newer version of the app has upgraded the database, and leaves it alone', async () => {
    const tab = await openTab();
    await startClient(tab, 'upgraded', ['mine']);
    const newer = await openTab();
    await newer.evaluate(() =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('upgraded', 2);
        opening.onupgradeneeded = () => opening.result.createObjectStore('tomorrow');
        opening.onsuccess = () => resolve(Object.assign(globalThis, { upgraded: opening.result }));
        opening.onerror = reject;
      }).then(() => undefined),
    );
    await eventually(async () => {
      const { status, codes } = await tab.evaluate(() => indexedDbPage.told());
      expect([status.pending, status.attention, codes]).toEqual([1, true, ['TOO_NEW']]);
      expect(status.lastError).toMatch(/newer version of this app. Reload the page/);
    });
    await tab.evaluate(() => indexedDbPage.record(['later', 'still']));
    expect((await tab.evaluate(() => indexedDbPage.told())).status.pending).toBe(3);
    const kept = await newer.evaluate(
      () =>
        new Promise((resolve) => {
          // What the page was given above.
          const { upgraded } = globalThis as unknown as { readonly upgraded: IDBDatabase };
          const reading = upgraded.transaction('entries').objectStore('entries').count();
          reading.onsuccess = () => resolve(reading.result);
        }),
    );
    expect(kept).toBe(1);
    await Promise.all([tab.close(), newer.close()]);
  });

  it('asks the browser once to keep what is stored, when there is something to lose', async () => {
    const tab = await openTab();
    await tab.evaluate(() => {
      const asked: string[] = [];
      Object.assign(globalThis, { asked });
      navigator.storage.persist = async () => asked.push('persist') > 0;
    });
    await commit(tab, 'kept', { meta: sampleMeta() });
    const before = await tab.evaluate('[...asked]');
    await commit(tab, 'kept', { putEntries: [sampleEntry('m1')] });
    await commit(tab, 'kept', { putEntries: [sampleEntry('m2')] });
    await commit(tab, 'kept too', { putEntries: [sampleEntry('m1')] });
    expect([before, await tab.evaluate('asked')]).toEqual([[], ['persist']]);
    await tab.close();
  });

  async function openTab(of: BrowserContext = context): Promise<Page> {
    const tab = await of.newPage();
    await openPage(tab, bundle);
    return tab;
  }
});

/** Starts the tab's client, and lets it record what is stored then. */
async function startClient(tab: Page, name: string, texts: readonly string[]): Promise<void> {
  await tab.evaluate(
    ([of, all]) => {
      indexedDbPage.startClient(of);
      indexedDbPage.record(all);
    },
    [name, texts] as const,
  );
  await eventually(async () => expect((await clientState(tab)).stored).toBe(texts.length));
}

function clientState(tab: Page) {
  return tab.evaluate(() => indexedDbPage.clientState());
}
