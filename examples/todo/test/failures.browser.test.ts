import { expect, it } from 'vitest';
import { WAIT_LIMIT_MS } from '../../../vitest.limits.js';
import { describeInBrowser } from './in-browser.js';
import { DeviceInPage, meetConflict, openTab } from './todo-app.js';

/** More than a record may hold. */
const HUGE = 'x'.repeat(300_000);
const LONG = 'A title of a task that is longer than any title of a task may be';

describeInBrowser('what could not be done', (given) => {
  it('is all of it where the browser stores nothing, which is told', async () => {
    const page = await given.browser.newPage();
    // A sandboxed frame stores nothing, but loads scripts only with this header.
    await page.route(`${given.app.url}**`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, headers: { ...response.headers(), 'access-control-allow-origin': '*' } });
    });
    await page.setContent(`<iframe sandbox="allow-scripts" src="${given.app.url}"></iframe>`);
    const alert = page.frameLocator('iframe').getByRole('alert');
    await alert.getByText('does not let the page store anything').waitFor({ timeout: WAIT_LIMIT_MS });
    await page.close();
  });

  it('is told, and what was shown already is taken back', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    const alert = page.getByRole('alert').getByText('This was not saved: it is too large.');
    await device.add('Feed the cat');
    await device.saved();

    const field = device.pane.getByLabel('New task');
    await field.fill(HUGE);
    await field.press('Enter');
    await alert.waitFor();
    expect((await field.inputValue()).length).toBe(HUGE.length);
    await page.getByRole('alert').getByRole('button', { name: 'Dismiss' }).click();
    await alert.waitFor({ state: 'detached' });

    await device.pane.getByRole('button', { name: 'Feed the cat, rename' }).click();
    const renaming = device.pane.getByLabel('New title of Feed the cat');
    await renaming.fill(HUGE);
    await renaming.press('Enter');
    await alert.waitFor();
    await device.task('Feed the cat').waitFor();
    // What succeeds afterwards takes the notice away.
    await device.rename('Feed the cat', 'Feed the dog');
    await alert.waitFor({ state: 'detached' });
    // A row shows a new title before it is recorded, so the status may still speak of what was before.
    await expect.poll(() => given.app.titles()).toEqual(['Feed the dog']);
    await context.close();
  });

  it('is told of a title, too, that was being typed when another device deleted the task', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    const other = new DeviceInPage(await openTab(await given.browser.newContext(), given.app));
    await device.add('Feed the cat');
    await other.task('Feed the cat').waitFor();
    await device.pane.getByRole('button', { name: 'Feed the cat, rename' }).click();
    await device.pane.getByLabel('New title of Feed the cat').fill('Feed the cat twice');
    await other.delete('Feed the cat');
    await page.getByRole('alert').getByText('This was not saved: the task has been deleted meanwhile.').waitFor();
    await context.close();
  });

  it('is told of decisions too, which wait as before', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app, { second: true });
    const first = new DeviceInPage(page);
    const second = new DeviceInPage(page, 'Second device');
    const renaming = { title: 'Feed the cat', first: 'Feed the cat twice', second: 'Feed the dog' };
    await meetConflict(first, second, renaming);
    await first.enter(LONG);
    const conflict = first.pane.getByRole('region', { name: 'Changed on two devices' });
    const refused = first.pane.getByRole('region', { name: 'Not accepted' });
    await refused.waitFor();
    // As a sign-out in another tab does.
    await page.evaluate(() => void indexedDB.deleteDatabase('todo'));
    await first.status.filter({ hasText: 'This device cannot store changes' }).waitFor();
    const alert = page.getByRole('alert').getByText('This did not work.');
    for (const decision of [
      conflict.getByRole('button', { name: 'Keep yours' }),
      refused.getByRole('button', { name: 'Try again' }),
      refused.getByRole('button', { name: 'Discard' }),
    ]) {
      await decision.click();
      await alert.waitFor();
      await page.getByRole('alert').getByRole('button', { name: 'Dismiss' }).click();
      await alert.waitFor({ state: 'detached' });
    }
    expect([await conflict.count(), await refused.count()]).toEqual([1, 1]);
    await context.close();
  });
});
