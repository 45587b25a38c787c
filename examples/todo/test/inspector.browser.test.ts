import { expect, it } from 'vitest';
import { describeInBrowser } from './in-browser.js';
import { DeviceInPage, openTab } from './todo-app.js';

describeInBrowser('the inspector', (given) => {
  it('is loaded when it is asked for, follows the client, and explains a record', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    await device.saved();
    await page.evaluate(() => navigator.serviceWorker.ready);
    const loaded: string[] = [];
    page.on('request', (request) => loaded.push(request.url()));
    await page.getByRole('button', { name: 'Inspector' }).click();
    const panel = page.getByRole('region', { name: 'Inspector of this device' });
    await panel.getByRole('heading', { name: 'Requests' }).waitFor();
    expect(loaded.filter((url) => /inspector.*\.js$/.test(url)).length).toBe(1);

    await device.add('Water the tomatoes');
    await panel.getByText('applied: version 1').waitFor();
    await device.switchNetwork();
    await device.rename('Water the tomatoes', 'Water <b>the basil</b>');
    await panel
      .getByRole('button', { name: /^task / })
      .first()
      .click();
    await panel.getByText('The server last told version 1.').waitFor();
    await panel.getByText('On top of it lies update 2 of title, made here: stored, not sent yet.').waitFor();
    const title = panel.getByRole('row').filter({ has: page.getByRole('cell', { name: 'title', exact: true }) });
    expect(await title.getByRole('cell').allTextContents()).toEqual([
      'title',
      '"Water <b>the basil</b>"',
      expect.stringMatching(/^pending /),
      '"Water the tomatoes"',
    ]);

    await device.switchNetwork();
    await panel.getByText('The server last told version 2.').waitFor();
    await page.getByRole('button', { name: 'Inspector' }).click();
    await panel.waitFor({ state: 'detached' });
    await device.add('Added without the inspector');
    await device.saved();
    await context.close();
  });
});
