/** What the tests of the app in a real browser have in common. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeEach, describe } from 'vitest';
import { hasChromium } from '../../../packages/plugin-sync/test/browser/chromium.js';
import { openBrowser } from '../../../packages/plugin-sync/test/browser/open-browser.js';
import { startTodoApp, type TodoApp } from './todo-app.js';

/** What a test finds: the browser is that of all tests of a file, the app is its own. */
export interface Given {
  readonly browser: Browser;
  readonly app: TodoApp;
}

/** Tests that `define` declares, for which there is a browser and an app; none where there is no Chromium. */
export function describeInBrowser(title: string, define: (given: Given) => void): void {
  describe.skipIf(!hasChromium)(title, async () => {
    if (!hasChromium) return;
    const browser = await openBrowser();
    let app: TodoApp;
    beforeEach(async () => {
      app = await startTodoApp();
    });
    afterEach(() => app.close());
    afterAll(() => browser.close());
    define({
      browser,
      get app() {
        return app;
      },
    });
  });
}
