import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { hasChromium } from '../../../packages/plugin-sync/test/browser/chromium.js';
import { openBrowser } from '../../../packages/plugin-sync/test/browser/open-browser.js';
import { buildApp } from '../server/build-app.js';
import { openTab, startTodoApp } from './todo-app.js';

it.skipIf(!hasChromium)(
  'a new version waits until the user takes it, and then replaces all of the old one',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'todo-app-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    await cp(await buildApp(() => {}), folder, { recursive: true });
    const app = await startTodoApp(folder);
    onTestFinished(() => app.close());
    const browser = await openBrowser();
    onTestFinished(() => browser.close());
    const context = await browser.newContext();
    const page = await openTab(context, app);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    const other = await openTab(context, app);

    await replaceIn(join(folder, 'index.html'), '<title>Todo</title>', '<title>Todo, the second</title>');
    await replaceIn(join(folder, 'service-worker.js'), 'const CACHE = `todo-', 'const CACHE = `todo-second-');
    await page.reload();
    const update = page.getByRole('complementary', { name: 'Update' });
    await update.getByText('A new version is ready.').waitFor();
    await page.reload();
    expect(await page.title()).toBe('Todo');
    await update.getByRole('button', { name: 'Reload' }).click();
    await page.waitForFunction(() => document.title === 'Todo, the second');
    expect(
      await page.evaluate(async () => (await caches.keys()).map((name) => name.replace(/-[0-9a-f]+$/, ''))),
    ).toEqual(['todo-second']);
    expect(await update.count()).toBe(0);

    // The other tab goes on with the old one until it is told to, too.
    expect(await other.title()).toBe('Todo');
    await other.getByRole('button', { name: 'Reload' }).click();
    await other.waitForFunction(() => document.title === 'Todo, the second');
  },
);

async function replaceIn(file: string, before: string, after: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  expect(text).toContain(before);
  await writeFile(file, text.replace(before, after));
}
