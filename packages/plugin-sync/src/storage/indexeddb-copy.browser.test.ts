import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import type { IndexedDbPage } from '../../test/browser/indexeddb.page.js';
import { close, commit, load } from '../../test/browser/indexeddb-calls.js';
import { bundleForPage, openBrowser, openPage } from '../../test/browser/open-browser.js';
import { eventually } from '../../test/fixtures/eventually.js';
import { sampleConflict, sampleDeadLetter, sampleEntry, sampleMeta, sampleRecord } from './contract/storage-samples.js';

const PAGE = fileURLToPath(new URL('../../test/browser/indexeddb.page.ts', import.meta.url));
const NOTHING = { meta: null, entries: [], conflicts: [], deadLetters: [] };

// What the bundle of PAGE puts into the page.
declare const indexedDbPage: IndexedDbPage;

describe.skipIf(!hasChromium)('a copy of what only this device has', async () => {
  if (!hasChromium) return;
  const bundle = await bundleForPage(PAGE);
  const browser = await openBrowser();
  const page = await openTab(await browser.newContext());

  afterAll(() => browser.close());

  const meta = sampleMeta({ nextSequence: 3, checkpoint: 'c1', walk: 'w1', revision: 1 });
  const waiting = {
    putEntries: [sampleEntry('m1', 1), sampleEntry('m2', 2)],
    putConflicts: [sampleConflict('m3')],
    putDeadLetters: [sampleDeadLetter('m4')],
  };
  const backup = {
    meta: { ...meta, checkpoint: null, walk: null },
    entries: waiting.putEntries,
    conflicts: waiting.putConflicts,
    deadLetters: waiting.putDeadLetters,
  };

  it('I1 brings it back when the browser has lost the database, and lets the server tell the records again', async () => {
    await commit(page, 'lost', { meta, ...waiting, putRecords: [sampleRecord()] });
    await loseDatabase('lost');
    expect(await load(page, 'lost')).toEqual(backup);
    expect(await page.evaluate(() => indexedDbPage.listTasks('lost'))).toEqual([]);
  });

  it('I1 leaves a page that had the database open as it is, and brings it back when that is loaded anew', async () => {
    const tab = await openTab(page.context());
    await commit(tab, 'lost in use', { meta, ...waiting });
    await tab.evaluate(() => {
      // What Chromium does when it meets a part of the database that it cannot read: it closes, and opens an empty one.
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...args) {
        if (this.name !== 'lost in use') return transaction.apply(this, args);
        IDBDatabase.prototype.transaction = transaction;
        this.onversionchange = null;
        this.close();
        indexedDB.deleteDatabase(this.name);
        return transaction.apply(this, args);
      };
    });
    expect(await load(tab, 'lost in use')).toBe('CLEARED');
    await tab.close();
    expect(await load(page, 'lost in use')).toEqual(backup);
  });

  it('says that everything was deleted, also when the copy went with it and cannot be asked', async () => {
    const own = await browser.newContext();
    const tab = await openTab(own);
    await commit(tab, 'cleared', { meta, ...waiting });
    await tab.evaluate(() => {
      // In Chromium 156 nothing opens any more in a bucket that was deleted while the page had it.
      const { open } = IDBFactory.prototype;
      IDBFactory.prototype.open = function (...args) {
        if (this !== indexedDB) throw new DOMException('Gone.', 'InvalidStateError');
        return open.apply(this, args);
      };
    });
    const devTools = await own.newCDPSession(tab);
    await devTools.send('Storage.clearDataForOrigin', { origin: 'https://app.test', storageTypes: 'indexeddb' });
    await eventually(async () => {
      const loading = load(tab, 'cleared');
      await tab.evaluate(() => indexedDbPage.advance(2000));
      expect(await loading).toBe('CLEARED');
    });
    await own.close();
  });

  it('I1 makes up for what it missed when it was not there', async () => {
    const old = await openTab(page.context());
    await old.evaluate(() => Object.defineProperty(navigator, 'storageBuckets', { value: undefined }));
    const changed = { ...sampleEntry('m1', 1), tries: 3 };
    const putEntries = [sampleEntry('m0'), sampleEntry('m1', 1)];
    await commit(page, 'missed', { meta: sampleMeta({ revision: 1 }), putEntries });
    await close(page, 'missed');
    const missed = { ...waiting, putEntries: [changed, sampleEntry('m2', 2)] };
    await commit(old, 'missed', { meta: { ...meta, revision: 2 }, removeEntries: ['m0'], ...missed });
    await close(old, 'missed');
    await load(page, 'missed');
    await loseDatabase('missed');
    expect(await load(page, 'missed')).toEqual({
      ...backup,
      entries: missed.putEntries,
      meta: { ...backup.meta, revision: 2 },
    });
    await old.close();
  });

  it('I1 makes up at the next start for what failed in one tab, though another went on with it', async () => {
    const tab = await openTab(page.context());
    await commit(page, 'gap', { meta: sampleMeta({ revision: 1 }), putEntries: [sampleEntry('m0', 0)] });
    await load(tab, 'gap');
    await tab.evaluate(() => {
      const { transaction } = IDBDatabase.prototype;
      let count = 0;
      IDBDatabase.prototype.transaction = function (...args) {
        if (++count === 2) throw new DOMException('No room.', 'QuotaExceededError');
        return transaction.apply(this, args);
      };
    });
    await commit(tab, 'gap', { meta: { ...meta, revision: 2 }, expectRevision: 1, ...waiting });
    const putEntries = [sampleEntry('m5', 5)];
    await commit(page, 'gap', { meta: { ...meta, revision: 3 }, expectRevision: 2, putEntries });
    await tab.close();
    await close(page, 'gap');
    await load(page, 'gap');
    await loseDatabase('gap');
    expect(await load(page, 'gap')).toEqual({
      ...backup,
      entries: [sampleEntry('m0', 0), ...waiting.putEntries, ...putEntries],
      meta: { ...backup.meta, revision: 3 },
    });
  });

  for (const failing of ['fails', 'does not answer']) {
    it(`I1 I13 does not keep anything back when it ${failing}, and makes up for what it missed at the next start`, async () => {
      const name = `second ${failing}`;
      const tab = await openTab(page.context());
      await commit(tab, name, { meta: sampleMeta({ revision: 1 }), putEntries: [sampleEntry('m0')] });
      await tab.evaluate((isDeaf) => {
        const { transaction } = IDBDatabase.prototype;
        let count = 0;
        IDBDatabase.prototype.transaction = function (...args) {
          // The first writes the batch, and the second its copy.
          if (++count !== 2) return transaction.apply(this, args);
          if (!isDeaf) throw new DOMException('No room.', 'QuotaExceededError');
          const made = transaction.apply(this, args);
          Object.defineProperty(made, 'oncomplete', { set: () => {} });
          return made;
        };
      }, failing === 'does not answer');
      let answer: unknown = 'none';
      void commit(tab, name, { meta: { ...meta, revision: 2 }, removeEntries: ['m0'] }).then((told) => {
        answer = told;
      });
      await eventually(async () => {
        await tab.evaluate(() => indexedDbPage.advance(2000));
        expect(answer).toBeUndefined();
      });
      expect(await commit(tab, name, { meta: { ...meta, revision: 3 }, ...waiting })).toBeUndefined();
      await tab.close();
      await load(page, name);
      await loseDatabase(name);
      expect(await load(page, name)).toEqual({ ...backup, meta: { ...backup.meta, revision: 3 } });
    });
  }

  it('goes on without it when the browser gives it no room, takes that away, or does not answer', async () => {
    const own = await browser.newContext();
    const refused = await openTab(own);
    await refused.evaluate(() => {
      Object.defineProperty(navigator, 'storageBuckets', { value: { open: () => Promise.reject(new Error('No.')) } });
    });
    expect(await commit(refused, 'refused', { meta })).toBeUndefined();
    const robbed = await openTab(own);
    expect(await commit(robbed, 'robbed', { meta })).toBeUndefined();
    await robbed.evaluate('navigator.storageBuckets.delete("objectql-sync")');
    expect(await commit(robbed, 'robbed', waiting)).toBeUndefined();
    expect(await load(robbed, 'robbed')).toEqual({ ...backup, meta });
    const unanswered = await openTab(own);
    await unanswered.evaluate(() => {
      Object.defineProperty(navigator, 'storageBuckets', { value: { open: () => new Promise(() => {}) } });
    });
    let answer: unknown;
    void load(unanswered, 'robbed').then((told) => {
      answer = told;
    });
    await eventually(async () => {
      await unanswered.evaluate(() => indexedDbPage.advance(2000));
      expect(answer).toEqual({ ...backup, meta });
    });
    await own.close();
  });

  it('I1 makes no database anew before the copy has told whether there was one', async () => {
    await commit(page, 'late', { meta, ...waiting });
    await loseDatabase('late');
    const tab = await openTab(page.context());
    await tab.evaluate(() => {
      const buckets = (navigator as unknown as { storageBuckets: { open: (...args: unknown[]) => Promise<unknown> } })
        .storageBuckets;
      const { open } = Object.getPrototypeOf(buckets);
      let answer = () => {};
      const answered = new Promise<void>((resolve) => {
        answer = resolve;
      });
      buckets.open = (...args) => answered.then(() => open.apply(buckets, args));
      Object.assign(globalThis, { answer });
    });
    let told: unknown;
    void load(tab, 'late').then((answer) => {
      told = answer;
    });
    await eventually(async () => {
      await tab.evaluate(() => indexedDbPage.advance(2000));
      expect(told).toBe('LOCKED');
    });
    await tab.evaluate('answer()');
    expect(await load(tab, 'late')).toEqual(backup);
    await tab.close();
  });

  it('leaves no connection open when all is closed, be it one that was lost or a copy that failed', async () => {
    const tab = await openTab(page.context());
    await tab.evaluate(() => {
      const { open } = IDBFactory.prototype;
      const { close, transaction } = IDBDatabase.prototype;
      const opened = new Set<IDBDatabase>();
      IDBFactory.prototype.open = function (...args) {
        const request = open.apply(this, args);
        request.addEventListener('success', () => opened.add(request.result));
        return request;
      };
      IDBDatabase.prototype.close = function () {
        opened.delete(this);
        close.call(this);
      };
      const failNext = (fail: (database: IDBDatabase) => void, nth: number) => {
        let count = 0;
        IDBDatabase.prototype.transaction = function (...args) {
          if (++count === nth) fail(this);
          return transaction.apply(this, args);
        };
      };
      Object.assign(globalThis, { opened, failNext });
    });
    await commit(tab, 'left', { meta });
    await tab.evaluate('failNext((database) => database.close(), 1)');
    await commit(tab, 'left', waiting);
    await tab.evaluate("failNext(() => { throw new DOMException('No room.', 'QuotaExceededError') }, 2)");
    expect(await commit(tab, 'left', { meta: { ...meta, revision: 2 } })).toBeUndefined();
    expect(await tab.evaluate('opened.size')).toBe(1);
    await close(tab, 'left');
    expect(await tab.evaluate('opened.size')).toBe(0);
    await commit(tab, 'left', { meta });
    expect(await tab.evaluate('opened.size')).toBe(2);
    await close(tab, 'left');
    expect(await tab.evaluate('opened.size')).toBe(0);
    await tab.close();
  });

  it('I1 stays when a newer version of the app upgrades the database', async () => {
    await commit(page, 'upgraded', { meta, ...waiting });
    const newer = await openTab(page.context());
    await newer.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open('upgraded', 2);
          opening.onsuccess = resolve;
          opening.onerror = reject;
        }),
    );
    await newer.close();
    await loseDatabase('upgraded');
    expect(await load(page, 'upgraded')).toEqual(backup);
  });

  it('is deleted with the rest, also under tabs that have it open', async () => {
    await commit(page, 'ended', { meta, ...waiting });
    const otherTab = await openTab(page.context());
    await otherTab.evaluate(() => indexedDbPage.delete('ended'));
    expect(await load(page, 'ended')).toBe('CLEARED');
    expect(await load(otherTab, 'ended')).toEqual(NOTHING);
    await commit(otherTab, 'ended', { meta, ...waiting });
    await close(otherTab, 'ended');
    await otherTab.evaluate(() => indexedDbPage.delete('ended'));
    expect(await load(otherTab, 'ended')).toEqual(NOTHING);
    await otherTab.close();
  });

  /** Deletes the database alone, which nobody has open. */
  async function loseDatabase(name: string): Promise<void> {
    await close(page, name);
    await page.evaluate(
      (given) =>
        new Promise((resolve, reject) => {
          const deletion = indexedDB.deleteDatabase(given);
          deletion.onsuccess = resolve;
          deletion.onerror = reject;
        }),
      name,
    );
  }

  async function openTab(context: BrowserContext): Promise<Page> {
    const tab = await context.newPage();
    await openPage(tab, bundle);
    return tab;
  }
});
