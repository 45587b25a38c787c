import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { WAIT_LIMIT_MS } from '../../../../vitest.limits.js';
import { startAppServer } from '../../test/browser/app-server.js';
import { hasChromium } from '../../test/browser/chromium.js';
import { bundleForPage, openBrowser } from '../../test/browser/open-browser.js';
import { type RealTab, realTabs } from '../../test/browser/real-tab.js';
import type { TabsPage } from '../../test/browser/tabs.page.js';
import { eventually } from '../../test/fixtures/eventually.js';

const PAGE = fileURLToPath(new URL('../../test/browser/tabs.page.ts', import.meta.url));

// What the bundle of PAGE puts into the page.
declare const tabsPage: TabsPage;

describe.skipIf(!hasChromium)('tabs of one Chromium', async () => {
  if (!hasChromium) return;
  const server = await startAppServer(await bundleForPage(PAGE));
  const browser = await openBrowser();
  const context = await browser.newContext();
  context.setDefaultTimeout(WAIT_LIMIT_MS);
  let apps = 0;

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  it('lets all of three record, and shows the same in all, when the leader is closed', async () => {
    const { app, tabs } = await openTabs(3);
    const [first, second, third] = tabs;
    const recorded = await recordInAll(tabs, 'a');
    await expectAll(tabs, recorded);
    expect(senders(app)).toEqual(['1']);
    await first.page.close();
    recorded.push(...(await recordInAll([second, third], 'b')));
    await expectAll([second, third], recorded);
    expect(senders(app)).toHaveLength(2);
    expectOnce(app, recorded);
  });

  it('I1 loses nothing that was durable when the leader crashes, and sends it once', async () => {
    const { app, tabs } = await openTabs(3);
    const [first, second, third] = tabs;
    const recorded = await recordInAll(tabs, 'a');
    await expectAll(tabs, recorded);
    await first.page.evaluate(() => tabsPage.create('last words'));
    recorded.push('last words');
    await crash(context, first.page);
    await expectAll([second, third], recorded);
    recorded.push(...(await recordInAll([second, third], 'b')));
    await expectAll([second, third], recorded);
    expectOnce(app, recorded);
  });

  it('I2 replaces a leader whose main thread hangs, and takes it in again when it goes on', async () => {
    const { app, tabs } = await openTabs(3);
    const [first, second, third] = tabs;
    const recorded = await recordInAll(tabs, 'a');
    await expectAll(tabs, recorded);
    const blocked = first.page.evaluate(() => tabsPage.block());
    recorded.push(...(await recordInAll([second, third], 'b')));
    await expectAll([second, third], recorded);
    // Both may take the lock at once, on a busy machine for longer: the one that loses it may have sent before.
    expect(senders(app).length).toBeGreaterThan(1);
    server.unblock();
    await blocked;
    recorded.push(...(await recordInAll(tabs, 'c')));
    await expectAll(tabs, recorded);
    expectOnce(app, recorded);
  });

  it('lets a tab that is seen take over from one that was hidden', async () => {
    const { app, first, second } = await openRealTabs();
    await first.hide();
    expect(await first.evaluate('document.visibilityState')).toBe('hidden');
    await second.evaluate("tabsPage.create('seen')");
    await expectDone([first, second], ['a', 'seen']);
    await eventually(async () => {
      await first.evaluate(`tabsPage.create(crypto.randomUUID())`);
      expect(senders(app)).toEqual(['1', '2']);
    });
  });

  it('I2 replaces a leader that the browser has frozen, and takes it in again when it thaws', async () => {
    const { app, first, second } = await openRealTabs();
    await first.evaluate("document.addEventListener('freeze', () => { globalThis.isFrozen = true })");
    await first.hide();
    await first.freeze();
    expect(await first.evaluate('isFrozen')).toBe(true);
    await second.evaluate("tabsPage.create('b')");
    await expectDone([second], ['a', 'b']);
    expect(senders(app)).toEqual(['1', '2']);
    await first.thaw();
    await first.evaluate("tabsPage.create('c')");
    await expectDone([first, second], ['a', 'b', 'c']);
    expect(senders(app)).toEqual(['1', '2']);
    const sent = server.pushes.filter(({ tab }) => tab.startsWith(`${app} `)).flatMap(({ mutations }) => mutations);
    expect(sent.map(({ recordId }) => recordId)).toEqual(['a', 'b', 'c']);
  });

  it('I13 lets one of two tabs lead while the one that led before is frozen, and tells each sync once', async () => {
    const { app, open, first, second } = await openRealTabs();
    const third = await open(3);
    await first.hide();
    await first.freeze();
    const tasks = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
    for (const task of tasks.slice(1)) {
      await third.evaluate(`tabsPage.create('${task}')`);
      await third.evaluate('tabsPage.sync()');
    }
    await expectDone([second, third], tasks);
    expect(senders(app)).toHaveLength(2);
    // At most two for each task, when its own sync begins before the one that is asked for, and some at the start.
    for (const tab of [second, third])
      expect(await tab.evaluate('tabsPage.syncsTold()')).toBeLessThan(3 * tasks.length);
    await first.thaw();
    await expectDone([first], tasks);
  });

  it('neither holds a lock while it is frozen nor asks for one, which would keep it from the back/forward cache', async () => {
    const { app, open, first } = await openRealTabs(1);
    await first.hide();
    await first.freeze();
    const beside = await open();
    const locks = await beside.evaluate('navigator.locks.query().then(({ held, pending }) => [...held, ...pending])');
    expect(JSON.stringify(locks)).not.toContain(app);
    await first.thaw();
    await first.evaluate("tabsPage.create('b')");
    await expectDone([first], ['a', 'b']);
  });

  it('syncs for a tab that does not lead, and tells it the outcome', async () => {
    const { tabs } = await openTabs(2);
    const { page } = tabs[1];
    const id = await page.evaluate(() => tabsPage.create('asked'));
    expect(await page.evaluate(() => tabsPage.sync())).toBe(true);
    expect(await page.evaluate((of) => tabsPage.settled(of), id)).toBe('applied');
  });

  it('shows in all tabs that one has signed out and deleted what was stored', async () => {
    const { tabs } = await openTabs(3);
    const [first, second, third] = tabs;
    const recorded = await recordInAll(tabs, 'a');
    await expectAll(tabs, recorded);
    await first.page.evaluate(() => tabsPage.signOut());
    for (const { page } of [second, third]) {
      await eventually(async () => {
        const { status } = await page.evaluate(() => tabsPage.shows());
        expect(status).toMatchObject({ isStorageFailing: true, attention: true });
        expect(status.lastError).toMatch(/was deleted while it was open. Reload the page/);
      });
    }
  });

  /** Tabs of an app of their own that Playwright leaves alone; the first leads, and has sent the task `a`. */
  async function openRealTabs(count: 1 | 2 = 2) {
    const app = `app-${++apps}`;
    const openReal = await realTabs(browser);
    /** Without a number, a tab without a client. */
    const open = async (number?: number) => {
      const tab = await openReal(server.url);
      if (number) await eventually(() => tab.evaluate(`tabsPage.open('${app}', '${app} ${number}')`));
      return tab;
    };
    const first = await open(1);
    const second = count === 2 ? await open(2) : first;
    await first.evaluate("tabsPage.create('a')");
    await expectDone([first, second], ['a']);
    return { app, open, first, second };
  }

  async function expectDone(tabs: readonly RealTab[], tasks: readonly string[]): Promise<void> {
    for (const tab of tabs) {
      await eventually(async () => {
        // A cast: the page says the same of itself.
        const { tasks: shown, status } = (await tab.evaluate('tabsPage.shows()')) as ReturnType<TabsPage['shows']>;
        expect([shown, status.state, status.pending]).toEqual([tasks, 'idle', 0]);
      });
    }
  }

  interface Tab {
    readonly page: Page;
    readonly name: string;
  }

  /** Opens tabs of an app of their own; the first leads. */
  async function openTabs(count: number) {
    const app = `app-${++apps}`;
    const tabs: Tab[] = [];
    for (let number = 1; number <= count; number++) {
      const page = await context.newPage();
      await page.goto(server.url);
      await page.evaluate(([of, tab]) => tabsPage.open(of, tab), [app, `${app} ${number}`] as const);
      tabs.push({ page, name: `${app} ${number}` });
    }
    // A tuple, so that tests may take tabs by their places: there are as many as were asked for.
    return { app, tabs: tabs as unknown as readonly [Tab, Tab, Tab] };
  }

  /** Three tasks in each tab, all at the same time; answers their ids. */
  async function recordInAll(tabs: readonly Tab[], batch: string): Promise<string[]> {
    const ids = tabs.map(({ name }) => [1, 2, 3].map((n) => `${name} ${batch}${n}`));
    await Promise.all(
      tabs.map(({ page }, index) =>
        page.evaluate(async (own) => {
          await Promise.all(own.map((id) => tabsPage.create(id)));
        }, ids[index] ?? []),
      ),
    );
    return ids.flat();
  }

  /** Waits until all tabs show these tasks and that all is done. */
  async function expectAll(tabs: readonly Tab[], tasks: readonly string[]): Promise<void> {
    for (const { page } of tabs) {
      const expected = { tasks: [...tasks].sort(), state: 'idle', pending: 0 };
      await eventually(async () => {
        const shown = await page.evaluate(() => tabsPage.shows());
        const { state, pending } = shown.status;
        expect({ tasks: shown.tasks, state, pending }).toEqual(expected);
      });
    }
  }

  /** The tabs of the app that sent anything, by number. */
  function senders(app: string): readonly string[] {
    const names = server.pushes.filter(({ tab, mutations }) => tab.startsWith(`${app} `) && mutations.length > 0);
    return [...new Set(names.map(({ tab }) => tab.slice(app.length + 1)))];
  }

  /** Each task was sent as one mutation of one sequence, and those of each tab in the order they were made. */
  function expectOnce(app: string, tasks: readonly string[]): void {
    const sent = server.pushes.filter(({ tab }) => tab.startsWith(`${app} `)).flatMap(({ mutations }) => mutations);
    const versions = new Set(sent.map(({ id, recordId, sequence }) => JSON.stringify([recordId, id, sequence])));
    expect([...versions].map((text) => JSON.parse(text)[0]).sort()).toEqual([...tasks].sort());
    const inOrder = [...sent].sort((a, b) => a.sequence - b.sequence).map(({ recordId }) => recordId);
    for (const batch of ['a', 'b', 'c']) {
      for (const tab of [1, 2, 3]) {
        const own = [...new Set(inOrder)].filter((id) => id.startsWith(`${app} ${tab} ${batch}`));
        expect(own).toEqual([...own].sort());
      }
    }
  }
});

/** Ends a tab's process as a fault in it would. */
async function crash(context: BrowserContext, page: Page): Promise<void> {
  const devTools = await context.newCDPSession(page);
  const crashed = page.waitForEvent('crash');
  // It has no answer: who would give it is dead.
  devTools.send('Page.crash').catch(() => {});
  await crashed;
}
