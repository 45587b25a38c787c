import { expect, it } from 'vitest';
import { describeInBrowser } from './in-browser.js';
import { DeviceInPage, meetConflict, openTab } from './todo-app.js';

describeInBrowser('what waits for the user', (given) => {
  for (const [choice, expected] of [
    ['Keep yours', 'Feed the cat twice'],
    ['Keep the server’s', 'Feed the dog'],
    ['Use this', 'Feed both'],
  ] as const) {
    it(`a conflict is shown side by side and decided: ${choice}`, async () => {
      const context = await given.browser.newContext();
      const page = await openTab(context, given.app, { second: true });
      const first = new DeviceInPage(page);
      const second = new DeviceInPage(page, 'Second device');
      await meetConflict(first, second, {
        title: 'Feed the cat',
        first: 'Feed the cat twice',
        second: 'Feed the dog',
      });

      const card = first.pane.getByRole('region', { name: 'Changed on two devices' });
      await card.getByText('Feed the cat twice').waitFor();
      await card.getByText('Feed the dog').waitFor();
      await first.status.filter({ hasText: '1 thing needs you' }).waitFor();
      if (choice === 'Use this') await card.getByLabel('Or write one title out of both').fill('Feed both');
      await card.getByRole('button', { name: choice }).click();
      await card.waitFor({ state: 'detached' });
      await first.saved();
      await first.task(expected).waitFor();
      expect(await given.app.titles()).toEqual([expected]);
      await context.close();
    });
  }

  it('a refused task is listed with its reason, and can be corrected or discarded', async () => {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app);
    const device = new DeviceInPage(page);
    const long = 'A title of a task that is longer than any title of a task may be';
    await device.enter(long);
    const card = device.pane.getByRole('region', { name: 'Not accepted' });
    await card.getByText('A title may have 60 characters at most; this one has 64.').waitFor();
    await device.task(long).waitFor({ state: 'detached' });
    let answer = () => {};
    const isHeld = new Promise<void>((resolve) => {
      answer = resolve;
    });
    // It is refused again at once, so until then the server is kept from answering.
    await page.route('**/api/sync/push', (route) => isHeld.then(() => route.continue()), { times: 1 });
    await card.getByRole('button', { name: 'Try again' }).click();
    await card.waitFor({ state: 'detached' });
    answer();
    await card.getByText('this one has 64').waitFor();
    await card.getByLabel('Title').fill('A shorter title');
    await card.getByRole('button', { name: 'Send corrected' }).click();
    await device.task('A shorter title').waitFor();
    await device.saved();
    expect(await given.app.titles()).toEqual(['A shorter title']);

    await device.enter(long);
    await card.getByRole('button', { name: 'Discard' }).click();
    await device.saved();
    expect(await given.app.titles()).toEqual(['A shorter title']);
    await context.close();
  });

  it('a task that was renamed here and deleted elsewhere is kept if the user says so', async () => {
    const { context, first, second } = await twoDevices();
    await first.rename('Feed the cat', 'Feed the cat twice');
    await first.keeps(1);
    await second.delete('Feed the cat');
    await second.saved();
    await first.switchNetwork();
    const card = first.pane.getByRole('region', { name: 'Changed on two devices' });
    await card.getByText('Deleted').waitFor();
    await card.getByRole('button', { name: 'Keep yours' }).click();
    await second.task('Feed the cat twice').waitFor();
    await first.saved();
    expect(await given.app.titles()).toEqual(['Feed the cat twice']);
    await context.close();
  });

  it('what was decided without the user is told', async () => {
    const { context, page, first, second } = await twoDevices();
    await first.task('Feed the cat').getByRole('checkbox').check();
    await first.keeps(1);
    // A minute passes, so that the later change is the later one however long a request takes here.
    await page.evaluate(() => {
      const { now } = Date;
      Date.now = () => now() + 60_000;
    });
    await second.delete('Feed the cat');
    await second.saved();
    await first.switchNetwork();
    const notice = first.pane.getByText('Ticking a task off was overruled by a later change on another device.');
    await notice.waitFor();
    await first.task('Feed the cat').waitFor({ state: 'detached' });
    await first.pane.getByRole('button', { name: 'Dismiss' }).click();
    await notice.waitFor({ state: 'detached' });
    await context.close();
  });

  /** Two devices that have the same task; the first has no network any more. */
  async function twoDevices() {
    const context = await given.browser.newContext();
    const page = await openTab(context, given.app, { second: true });
    const first = new DeviceInPage(page);
    const second = new DeviceInPage(page, 'Second device');
    await first.add('Feed the cat');
    await second.task('Feed the cat').waitFor();
    await first.switchNetwork();
    return { context, page, first, second };
  }
});
