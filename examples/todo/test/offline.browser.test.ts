import type { Page, Route } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from './in-browser.js';
import { DeviceInPage, openApp, openTab } from './todo-app.js';

// What `noteStatus` puts into the page.
declare const said: Set<string>;

describeInBrowser('the app without a network', (given) => {
  it('starts, keeps what is done through a reload, and sends it when the browser is online again', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    await device.add('Written online');
    await device.saved();
    await page.evaluate(() => navigator.serviceWorker.ready);

    await context.setOffline(true);
    await device.add('Written offline');
    await device.rename('Written online', 'Renamed offline');
    await device.keeps(2);
    await noteStatus(page);
    await page.reload();
    await device.task('Written offline').waitFor();
    await device.task('Renamed offline').waitFor();
    await device.keeps(2);
    expect(await page.evaluate(() => [...said])).toEqual(['Opening …', 'Offline · 2 changes kept on this device']);
    expect(await given.app.titles()).toEqual(['Written online']);

    await context.setOffline(false);
    await device.saved();
    expect(await given.app.titles()).toEqual(['Renamed offline', 'Written offline']);
    await context.close();
  });

  it('sends what it keeps within a minute where the browser is wrong about that', async () => {
    const context = await given.browser.newContext();
    const page = await context.newPage();
    await page.clock.install();
    await openApp(page, given.app);
    const device = new DeviceInPage(page);
    await device.saved();
    await page.evaluate(() => {
      Object.defineProperty(navigator, 'onLine', { value: false });
      dispatchEvent(new Event('offline'));
    });
    await device.add('Written behind a VPN');
    await device.keeps(1);
    await page.clock.runFor(60_000);
    await device.status.filter({ hasText: 'Offline · everything is saved' }).waitFor();
    expect(await given.app.titles()).toEqual(['Written behind a VPN']);
    await context.close();
  });

  it('tells the browser what to install: a manifest without errors, and icons of the sizes it names', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const devTools = await context.newCDPSession(page);
    const { errors, data = '' } = await devTools.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    const { start_url, display, icons } = JSON.parse(data);
    expect({ start_url, display }).toEqual({ start_url: '/', display: 'standalone' });
    const widths: unknown[] = [];
    for (const { src, sizes } of icons) {
      const loadImage = async (url: string) => {
        const image = Object.assign(new Image(), { src: url });
        await image.decode();
        return image.naturalWidth;
      };
      widths.push([sizes, await page.evaluate(loadImage, src)]);
    }
    expect(widths).toEqual([
      ['any', expect.any(Number)],
      ['192x192', 192],
      ['512x512', 512],
    ]);
    await context.close();
  });

  it('I2 applies once what was being sent when the page was reloaded', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    await device.saved();
    const arrived = new Promise<void>((resolve) => {
      // The server has it, and the answer never comes.
      const keepAnswer = async (route: Route) => {
        await route.fetch();
        resolve();
      };
      void page.route('**/api/sync/push', keepAnswer, { times: 1 });
    });
    await device.add('Sent in vain');
    await arrived;
    expect(await given.app.titles()).toEqual(['Sent in vain']);
    await page.reload();
    await device.task('Sent in vain').waitFor();
    await device.saved();
    expect(await given.app.titles()).toEqual(['Sent in vain']);
    await context.close();
  });

  it('says so when the disk is full, and stores everything once there is room', async () => {
    const context = await given.browser.newContext();
    const page = await context.newPage();
    // Before the app is opened: Chromium remembers for seconds how much room there is.
    const devTools = await context.newCDPSession(page);
    const { origin } = new URL(given.app.url);
    await devTools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1 });
    await openApp(page, given.app);
    const device = new DeviceInPage(page);
    await device.add('No room for this');
    await device.status.filter({ hasText: 'This device cannot store changes' }).waitFor();
    await devTools.send('Storage.overrideQuotaForOrigin', { origin });
    await device.saved();
    expect(await given.app.titles()).toEqual(['No room for this']);
    await page.reload();
    await device.task('No room for this').waitFor();
    await context.close();
  });
});

/** Has the page note from its next load on what the status says. */
async function noteStatus(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const said = new Set<string>();
    Object.assign(globalThis, { said });
    new MutationObserver(() => {
      const text = document.querySelector('[role="status"]')?.textContent;
      if (text) said.add(text);
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
}
