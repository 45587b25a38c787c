import { expect, it } from 'vitest';
import { describeInBrowser } from './in-browser.js';
import { DeviceInPage, openTab } from './todo-app.js';

describeInBrowser('two devices, one of them with three tabs', (given) => {
  it('all show the same, offline and online, also after the tab that syncs was closed', async () => {
    const laptop = await given.browser.newContext();
    const phone = await given.browser.newContext();
    const pages = [
      await openTab(laptop, given.app),
      await openTab(laptop, given.app),
      await openTab(laptop, given.app),
    ];
    const tabs = pages.map((page) => new DeviceInPage(page));
    const [first, second, third] = tabs as [DeviceInPage, DeviceInPage, DeviceInPage];
    const other = new DeviceInPage(await openTab(phone, given.app));

    await second.add('From the second tab');
    await other.add('From the other device');
    for (const device of [...tabs, other]) {
      await device.task('From the second tab').waitFor();
      await device.task('From the other device').waitFor();
      await device.saved();
    }

    await laptop.setOffline(true);
    await third.rename('From the second tab', 'Renamed without a network');
    await first.add('Added without a network');
    for (const tab of tabs) {
      await tab.task('Renamed without a network').waitFor();
      await tab.task('Added without a network').waitFor();
      await tab.keeps(2);
    }
    await pages[0]?.close();
    await other.rename('From the other device', 'Renamed on the other device');
    await other.saved();
    await laptop.setOffline(false);
    for (const device of [second, third, other]) {
      await device.task('Renamed without a network').waitFor();
      await device.task('Added without a network').waitFor();
      await device.task('Renamed on the other device').waitFor();
      await device.saved();
    }
    expect(await given.app.titles()).toEqual([
      'Added without a network',
      'Renamed on the other device',
      'Renamed without a network',
    ]);
    await laptop.close();
    await phone.close();
  });
});
