/** For everybody: by keyboard alone, and without a violation that axe finds, in light and dark. */
import axe from 'axe-core';
import type { Locator, Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { describeInBrowser } from './in-browser.js';
import { DeviceInPage, meetConflict, openTab } from './todo-app.js';

// What `axe.source` puts into the page.
declare const window: { readonly axe: typeof axe };

const OURS = { title: 'Ours', first: 'Mine', second: 'Theirs' };
const LONG = 'A title of a task that is longer than any title of a task may be';

describeInBrowser('the app for everybody', (given) => {
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`has nothing that axe objects to, ${colorScheme}`, async () => {
      const context = await given.browser.newContext({ colorScheme });
      const page = await openTab(context, given.app, { second: true });
      const first = new DeviceInPage(page);
      const second = new DeviceInPage(page, 'Second device');
      await first.pane.getByText('Nothing to do.').waitFor();
      expect(await violations(page)).toEqual([]);

      await meetConflict(first, second, OURS);
      for (const title of [LONG, `${LONG}, too`]) {
        await first.enter(title);
        await first.pane.getByRole('region', { name: `Not accepted: ${title}`, exact: true }).waitFor();
      }
      await second.switchNetwork();
      await second.add('Not sent yet');
      await first.pane.getByRole('checkbox').first().check();
      await page.getByRole('button', { name: 'Inspector' }).click();
      await page.getByRole('heading', { name: 'Requests' }).waitFor();
      await page.getByText('Things to try').click();
      await second.pane.getByRole('button', { name: 'Not sent yet, rename' }).click();
      expect(await violations(page)).toEqual([]);
      await context.close();
    });
  }

  it('has in sight how sync stands and what could not be done, however far the list is scrolled', async () => {
    const context = await given.browser.newContext({ viewport: { width: 360, height: 640 } });
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    for (let number = 1; number <= 20; number++) await device.add(`Task ${number}`);
    await device.pane.getByRole('button', { name: 'Task 1, rename', exact: true }).click();
    const field = device.pane.getByLabel('New title of Task 1', { exact: true });
    await field.fill('x'.repeat(300_000));
    await field.press('Enter');
    const notice = page.getByRole('alert').getByText('This was not saved');
    await notice.waitFor();
    expect([await isInSight(device.task('Task 20')), await isInSight(notice)]).toEqual([false, true]);
    await page.getByRole('alert').getByRole('button', { name: 'Dismiss' }).click();
    await device.task('Task 1').scrollIntoViewIfNeeded();
    expect([await isInSight(device.task('Task 20')), await isInSight(device.status)]).toEqual([false, true]);
    await context.close();
  });

  it('leaves Enter and Escape to an input method while a word is picked', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    await device.add('Feed the cat');
    await device.pane.getByRole('button', { name: 'Feed the cat, rename' }).click();
    const field = device.pane.getByLabel('New title of Feed the cat');
    for (const key of ['Enter', 'Escape']) {
      await field.dispatchEvent('keydown', { key, isComposing: true });
      expect(await field.count()).toBe(1);
    }
    await field.press('Escape');
    await field.waitFor({ state: 'detached' });
    await context.close();
  });

  it('is used by keyboard alone: add, tick off, rename, decide, delete', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app, { second: true });
    const first = new DeviceInPage(page);
    await meetConflict(first, new DeviceInPage(page, 'Second device'), OURS);

    await tabTo(page, 'Keep yours');
    await page.keyboard.press('Enter');
    await first.task('Mine').waitFor();
    await first.saved();
    expect(await focused(page)).toBe('This device');

    await tabTo(page, 'New task');
    await page.keyboard.type('Typed');
    await page.keyboard.press('Enter');
    await first.task('Typed').waitFor();
    expect(await focused(page)).toBe('New task');

    await tabTo(page, 'Typed: done');
    await page.keyboard.press('Space');
    await tabTo(page, 'Typed, rename');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    expect(await focused(page)).toBe('Typed, rename');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ControlOrMeta+a');
    await page.keyboard.type('Typed anew');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('Typed anew, rename');

    await tabTo(page, 'Delete Typed anew');
    await page.keyboard.press('Enter');
    await first.task('Typed anew').waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Mine, rename');
    await first.saved();
    expect(await given.app.titles()).toEqual(['Mine']);

    await tabTo(page, 'Delete Mine');
    await page.keyboard.press('Enter');
    await first.task('Mine').waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('This device');
    await context.close();
  });
});

/** Presses Tab until what has the focus is called so. */
async function tabTo(page: Page, name: string): Promise<void> {
  const passed: string[] = [];
  do {
    await page.keyboard.press('Tab');
    const name = await focused(page);
    // Round and round: the element cannot be reached.
    if (passed.length > 100) throw new Error(`${name} cannot be reached by Tab: ${passed.join(' | ')}`);
    passed.push(name);
  } while (passed.at(-1) !== name);
}

/** The accessible name of what has the focus. */
async function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : element?.textContent;
    return (element?.getAttribute('aria-label') ?? label ?? '').trim();
  });
}

/** Whether all of it is in the window, and nothing lies on top of it. */
async function isInSight(element: Locator): Promise<boolean> {
  return element.evaluate((shown) => {
    const { left, right, top, bottom } = shown.getBoundingClientRect();
    if (top < 0 || bottom > innerHeight) return false;
    return shown.contains(document.elementFromPoint((left + right) / 2, (top + bottom) / 2));
  });
}

/** What axe finds wrong, each as one line; in the inspector's shadow, too. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => (await window.axe.run()).violations);
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`),
  );
}
