/** Takes the picture of the README: `npx tsx examples/todo/take-picture.ts docs/images/todo.png`. */
import { chromium } from 'playwright-core';
import { chromiumCommand } from '../../packages/plugin-sync/test/browser/chromium.js';
import { DeviceInPage, meetConflict, openTab, startTodoApp } from './test/todo-app.js';

const [path = 'todo.png', colorScheme = 'light', width = '1120'] = process.argv.slice(2);
const app = await startTodoApp();
const { executablePath, args } = await chromiumCommand();
const browser = await chromium.launch({ executablePath, args: [...args] });
const context = await browser.newContext({
  colorScheme: colorScheme === 'dark' ? 'dark' : 'light',
  viewport: { width: Number(width), height: 640 },
});
const page = await openTab(context, app, { second: true });
const first = new DeviceInPage(page);
const second = new DeviceInPage(page, 'Second device');

for (const title of ['Return the library books', 'Call Grandma']) await first.add(title);
await first.task('Return the library books').getByRole('checkbox').check();
await second.task('Return the library books').getByRole('checkbox', { checked: true }).waitFor();
await meetConflict(first, second, {
  title: 'Water the tomatoes',
  first: 'Water the tomatoes and the basil',
  second: 'Water the tomatoes twice a week',
});
await second.switchNetwork();
await second.add('Buy stamps');
await second.status.filter({ hasText: 'Offline' }).waitFor();
await page.getByRole('heading', { name: 'Todo' }).click();
await page.screenshot({ path, fullPage: true });

await browser.close();
await app.close();
