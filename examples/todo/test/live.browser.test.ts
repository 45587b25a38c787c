import { expect, it } from 'vitest';
import { describeInBrowser } from './in-browser.js';
import { DeviceInPage, openApp } from './todo-app.js';

describeInBrowser('two devices that look at the same tasks', (given) => {
  /** A browser of its own, whose stream is open, and what it asks of the server from then on. */
  async function device() {
    const context = await given.browser.newContext();
    const page = await context.newPage();
    const opened = page.waitForResponse((response) => response.url().includes('/api/sync/stream'));
    const asked: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (pathname.startsWith('/api/sync/')) asked.push(pathname.slice('/api/sync/'.length));
    });
    await openApp(page, given.app);
    const inPage = new DeviceInPage(page);
    await inPage.saved();
    await opened;
    return { context, asked, inPage };
  }

  it('see at once what the other has written, and ask for it once', async () => {
    const [writer, reader] = [await device(), await device()];
    reader.asked.length = 0;
    await writer.inPage.add('Written elsewhere');
    await reader.inPage.task('Written elsewhere').waitFor();
    expect(reader.asked).toEqual(['pull']);
  });

  it('see what was written while they had no network, as soon as they have one', async () => {
    const [writer, reader] = [await device(), await device()];
    await reader.context.setOffline(true);
    await reader.inPage.status.filter({ hasText: 'Offline' }).waitFor();
    reader.asked.length = 0;
    await writer.inPage.add('Written meanwhile');
    await writer.inPage.saved();
    const whileOffline = [...reader.asked];
    await reader.context.setOffline(false);
    await reader.inPage.task('Written meanwhile').waitFor();
    await writer.inPage.add('Written afterwards');
    await reader.inPage.task('Written afterwards').waitFor();
    expect(whileOffline).toEqual([]);
  });

  it('keep what the other called a task while its title was only looked at here', async () => {
    const [writer, reader] = [await device(), await device()];
    await writer.inPage.add('Feed the cat');
    await reader.inPage.task('Feed the cat').waitFor();
    await reader.inPage.pane.getByRole('button', { name: 'Feed the cat, rename' }).click();
    await writer.inPage.rename('Feed the cat', 'Feed the dog');
    await reader.inPage.pane.getByLabel('New title of Feed the dog').press('Enter');
    await reader.inPage.task('Feed the dog').waitFor();
    expect(await given.app.titles()).toEqual(['Feed the dog']);
  });

  it('find the server again when it has cut every connection', async () => {
    const [writer, reader] = [await device(), await device()];
    given.app.cutConnections();
    await writer.inPage.add('Written after the cut');
    await reader.inPage.task('Written after the cut').waitFor();
  });
});
