import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { hasChromium } from '../../test/browser/chromium.js';
import type { IndexedDbPage } from '../../test/browser/indexeddb.page.js';
import { commit, load } from '../../test/browser/indexeddb-calls.js';
import { bundleForPage, openBrowser, openPage } from '../../test/browser/open-browser.js';
import { eventually } from '../../test/fixtures/eventually.js';
import { sampleEntry, sampleMeta, sampleRecord } from './contract/storage-samples.js';

const PAGE = fileURLToPath(new URL('../../test/browser/indexeddb.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const indexedDbPage: IndexedDbPage;

describe.skipIf(!hasChromium)('transactions that do not end', async () => {
  if (!hasChromium) return;
  const bundle = await bundleForPage(PAGE);
  const browser = await openBrowser();
  const context = await browser.newContext();

  afterAll(() => browser.close());

  const waiting = {
    meta: sampleMeta({ revision: 1 }),
    putEntries: [sampleEntry('m1', 1)],
    putRecords: [sampleRecord()],
  };
  const later = { meta: sampleMeta({ revision: 2 }), expectRevision: 1, putEntries: [sampleEntry('m2', 2)] };

  it('I13 gives up what another connection holds up, and stores nothing of it afterwards', async () => {
    const [tab, holder] = [await openTab(), await openTab()];
    await commit(tab, 'held', waiting);
    const before = await load(tab, 'held');
    const letGo = await hold(holder, 'held');
    const calls = [load(tab, 'held'), tab.evaluate(() => indexedDbPage.listTasks('held')), commit(tab, 'held', later)];
    expect(await inTime(tab, Promise.all(calls))).toEqual(['LOCKED', 'LOCKED', 'LOCKED']);
    await letGo();
    expect(await load(tab, 'held')).toEqual(before);
    expect(await tab.evaluate(() => indexedDbPage.listTasks('held'))).toEqual(waiting.putRecords);
    expect(await commit(tab, 'held', later)).toBeUndefined();
    await Promise.all([tab.close(), holder.close()]);
  });

  it('I1 I13 keeps what a client records meanwhile, says why, and lets it end', async () => {
    const [tab, holder] = [await openTab(), await openTab()];
    await tab.evaluate(() => {
      indexedDbPage.startClient('client');
      indexedDbPage.record(['stored']);
    });
    await eventually(async () =>
      expect(await tab.evaluate(() => indexedDbPage.clientState())).toMatchObject({ stored: 1 }),
    );
    const letGo = await hold(holder, 'client');
    await tab.evaluate(() => indexedDbPage.record(['first', 'second']));
    await eventually(async () => {
      await tab.evaluate(() => indexedDbPage.advance(30_000));
      const { status, codes } = await tab.evaluate(() => indexedDbPage.told());
      expect(codes).toContain('LOCKED');
      expect(status).toMatchObject({ pending: 3, isStorageFailing: true, attention: true });
    });
    expect(
      await inTime(
        tab,
        tab.evaluate(() => indexedDbPage.closeClient()),
      ),
    ).toBe('LOCKED');
    await letGo();
    expect(await load(tab, 'client')).toMatchObject({ entries: [expect.anything()] });
    await Promise.all([tab.close(), holder.close()]);
  });

  it('I1 I2 gives up a batch of which the browser never tells that it is stored, and finds it when it looks again', async () => {
    const tab = await openTab();
    await commit(tab, 'untold', waiting);
    await tab.evaluate(() => {
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...args) {
        IDBDatabase.prototype.transaction = transaction;
        const made = transaction.apply(this, args);
        made.addEventListener('complete', () => Object.assign(globalThis, { isStored: true }));
        Object.defineProperty(made, 'oncomplete', { set: () => {} });
        return made;
      };
    });
    const committed = commit(tab, 'untold', later);
    await tab.waitForFunction('globalThis.isStored');
    expect(await inTime(tab, committed)).toBe('LOCKED');
    expect(await commit(tab, 'untold', later)).toBe('RevisionMovedError');
    expect(await load(tab, 'untold')).toMatchObject({ entries: [sampleEntry('m1', 1), sampleEntry('m2', 2)] });
    await tab.close();
  });

  it('I1 stores a batch that was handed over, and holds nobody up with it, though the page hangs or is left at once', async () => {
    const [tab, other] = [await openTab(), await openTab()];
    await commit(tab, 'handed over', waiting);
    let goOn = () => {};
    const isHanging = new Promise<void>((resolve) => {
      void tab.route('**/hang', async (route) => {
        resolve();
        await new Promise<void>((unblock) => {
          goOn = unblock;
        });
        await route.fulfill({ body: '' });
      });
    });
    await tab.evaluate(() => {
      const { put } = IDBObjectStore.prototype;
      IDBObjectStore.prototype.put = function (...args) {
        IDBObjectStore.prototype.put = put;
        const request = put.apply(this, args);
        // Before the page can hear of anything that it asked the browser for.
        const hang = (turns: number) => {
          if (turns > 0) return queueMicrotask(() => hang(turns - 1));
          const call = new XMLHttpRequest();
          call.open('GET', '/hang', false);
          call.send();
        };
        hang(100);
        return request;
      };
    });
    const committed = commit(tab, 'handed over', later);
    await isHanging;
    expect(await load(other, 'handed over')).toMatchObject({ entries: [sampleEntry('m1', 1), sampleEntry('m2', 2)] });
    goOn();
    expect(await committed).toBeUndefined();
    await Promise.all([tab.close(), other.close()]);
  });

  it('waits for a batch for as long as the browser does some of it', async () => {
    const tab = await openTab();
    await commit(tab, 'long', waiting);
    await tab.evaluate(() => {
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...args) {
        IDBDatabase.prototype.transaction = transaction;
        const made = transaction.apply(this, args);
        // So that more may be asked for.
        made.commit = () => {};
        const goOn = () => {
          const { onAnswer, isOver } = globalThis as { readonly onAnswer?: () => void; readonly isOver?: boolean };
          onAnswer?.();
          if (!isOver) made.objectStore('meta').get('client').onsuccess = goOn;
        };
        goOn();
        return made;
      };
    });
    const committed = commit(tab, 'long', later);
    for (let waits = 0; waits < 10; waits++) {
      await tab.evaluate(() => indexedDbPage.advance(15_000));
      await tab.evaluate(() => new Promise<void>((onAnswer) => Object.assign(globalThis, { onAnswer })));
    }
    await tab.evaluate('globalThis.isOver = true');
    expect(await committed).toBeUndefined();
    await tab.close();
  });

  it('holds nobody up with an opening that it gave up, and that is answered after all', async () => {
    const [tab, holder] = [await openTab(), await openTab()];
    await holder.evaluate(async () => {
      const opening = indexedDB.open('opened late', 1);
      const opened = new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      await new Promise<void>((resolve) => {
        opening.onupgradeneeded = () => {
          const store = opening.result.createObjectStore('meta');
          let isHeld = true;
          const goOn = () => {
            if (isHeld) store.get('client').onsuccess = goOn;
          };
          goOn();
          const letGo = async () => {
            isHeld = false;
            await opened;
            opening.result.close();
            await indexedDbPage.delete('opened late');
          };
          Object.assign(globalThis, { letGo });
          resolve();
        };
      });
    });
    expect(await inTime(tab, load(tab, 'opened late'))).toBe('LOCKED');
    await holder.evaluate('letGo()');
    await Promise.all([tab.close(), holder.close()]);
  });

  it('begins none while the page is frozen, in which it could not end', async () => {
    const tab = await openTab();
    await commit(tab, 'frozen', waiting);
    const begun = await tab.evaluate(async () => {
      const { transaction } = IDBDatabase.prototype;
      let count = 0;
      IDBDatabase.prototype.transaction = function (...args) {
        count += 1;
        return transaction.apply(this, args);
      };
      document.dispatchEvent(new Event('freeze'));
      const loading = indexedDbPage.load('frozen');
      // As long as an answer of the browser's takes.
      await indexedDB.databases();
      const whileFrozen = count;
      document.dispatchEvent(new Event('resume'));
      await loading;
      return [whileFrozen, count > 0];
    });
    expect(begun).toEqual([0, true]);
    await tab.close();
  });

  it('says that a tab holds what is to be deleted, which is deleted once that lets go', async () => {
    const [tab, holder] = [await openTab(), await openTab()];
    await commit(tab, 'kept open', waiting);
    await holder.evaluate(async (of) => {
      const opening = indexedDB.open(of);
      await new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      Object.assign(globalThis, { kept: opening.result });
    }, 'kept open');
    const deleting = tab.evaluate(() => indexedDbPage.delete('kept open'));
    expect(await inTime(tab, deleting)).toBe('LOCKED');
    await holder.evaluate('kept.close()');
    await eventually(async () => {
      expect(await holder.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name))).not.toContain(
        'kept open',
      );
    });
  });

  it('leaves a connection that has gone deaf for another one', async () => {
    const tab = await openTab();
    await commit(tab, 'deaf', waiting);
    // As WebKit may leave one, whose transactions never tell anything.
    await tab.evaluate(() => {
      const { transaction } = IDBDatabase.prototype;
      let deaf: IDBDatabase | undefined;
      IDBDatabase.prototype.transaction = function (...args) {
        deaf ??= this;
        Object.assign(globalThis, { deaf });
        const made = transaction.apply(this, args);
        if (deaf !== this) return made;
        for (const on of ['oncomplete', 'onabort', 'onerror']) Object.defineProperty(made, on, { set: () => {} });
        const { objectStore } = made;
        made.objectStore = (name) => {
          const store = objectStore.call(made, name);
          store.getAll = () => ({}) as IDBRequest;
          return store;
        };
        return made;
      };
    });
    expect(await inTime(tab, load(tab, 'deaf'))).toBe('LOCKED');
    expect(await load(tab, 'deaf')).toMatchObject({ entries: [sampleEntry('m1', 1)] });
    await expect(tab.evaluate("deaf.transaction('meta')")).rejects.toThrow('The database connection is closing');
    await tab.close();
  });

  /** What is answered by then, while the clock of the tab goes on. */
  async function inTime<T>(tab: Page, work: Promise<T>): Promise<T> {
    let answer: { readonly value: T } | undefined;
    void work.then((value) => {
      answer = { value };
    });
    return eventually(async () => {
      await tab.evaluate(() => indexedDbPage.advance(30_000));
      if (!answer) throw new Error('Nothing is answered yet.');
      return answer.value;
    });
  }

  /** Keeps a transaction going that locks all stores, on a connection of its own. Returns what ends it. */
  async function hold(holder: Page, name: string): Promise<() => Promise<void>> {
    await holder.evaluate(async (of) => {
      const opening = indexedDB.open(of);
      await new Promise((resolve) => {
        opening.onsuccess = resolve;
      });
      const database = opening.result;
      const transaction = database.transaction([...database.objectStoreNames], 'readwrite');
      const store = transaction.objectStore('meta');
      let isHeld = true;
      const ended = new Promise<void>((resolve) => {
        transaction.oncomplete = () => resolve();
      });
      const goOn = () => {
        if (isHeld) store.get('client').onsuccess = goOn;
      };
      goOn();
      const letGo = () => {
        isHeld = false;
        return ended.then(() => database.close());
      };
      Object.assign(globalThis, { letGo });
    }, name);
    return () => holder.evaluate('letGo()');
  }

  async function openTab(): Promise<Page> {
    const tab = await context.newPage();
    await openPage(tab, bundle);
    return tab;
  }
});
