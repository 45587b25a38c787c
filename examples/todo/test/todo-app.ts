/** The app as a test sees it: its server on a database in memory, and pages of a real browser that speak of it in its own words. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import Database from 'libsql';
import type { BrowserContext, Locator, Page } from 'playwright-core';
import { WAIT_LIMIT_MS } from '../../../vitest.limits.js';
import { buildApp } from '../server/build-app.js';
import { todoServer } from '../server/todo-server.js';

export interface TodoApp {
  readonly url: string;
  /** Titles as the server has them, sorted. */
  titles(): Promise<readonly string[]>;
  /** Cuts every connection, as a network does that changes; new ones are taken. */
  cutConnections(): void;
  close(): Promise<void>;
}

/** Serves the built app, or the one in `folder`. */
export async function startTodoApp(folder?: string): Promise<TodoApp> {
  const appFolder = folder ?? (await buildApp(() => {}));
  const { handler, server } = todoServer(new Database(':memory:'), appFolder);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    async titles() {
      const { serverChanges } = await handler.handlePull({ clientId: 'test', lastCheckpoint: null });
      return serverChanges.flatMap(({ data }) => (data ? [String(data.title)] : [])).toSorted();
    },
    cutConnections: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      server.close();
      await handler.close();
    },
  };
}

/** One device in a page. */
export class DeviceInPage {
  readonly pane: Locator;

  constructor(page: Page, name: 'This device' | 'Second device' = 'This device') {
    this.pane = page.getByRole('region', { name, exact: true });
  }

  get status(): Locator {
    return this.pane.getByRole('status');
  }

  async add(title: string): Promise<void> {
    await this.enter(title);
    await this.task(title).waitFor();
  }

  /** Adds a task that need not stay: the server may refuse it before anybody sees it. */
  async enter(title: string): Promise<void> {
    await this.pane.getByLabel('New task').fill(title);
    await this.pane.getByLabel('New task').press('Enter');
  }

  async rename(before: string, after: string): Promise<void> {
    await this.pane.getByRole('button', { name: `${before}, rename` }).click();
    const field = this.pane.getByLabel(`New title of ${before}`);
    await field.fill(after);
    await field.press('Enter');
    await this.task(after).waitFor();
  }

  async delete(title: string): Promise<void> {
    await this.pane.getByRole('button', { name: `Delete ${title}` }).click();
    await this.task(title).waitFor({ state: 'detached' });
  }

  /** The row of a task. */
  task(title: string): Locator {
    return this.pane
      .getByRole('list', { name: 'Tasks' })
      .getByRole('listitem')
      .filter({ has: this.pane.page().getByRole('button', { name: `${title}, rename`, exact: true }) });
  }

  async switchNetwork(): Promise<void> {
    await this.pane.getByRole('switch', { name: 'Online' }).click();
  }

  /** Resolves when the device is offline and has recorded so many changes: what it shows may be a moment ahead of that. */
  async keeps(changes: number): Promise<void> {
    const text = `Offline · ${changes} change${changes === 1 ? '' : 's'} kept on this device`;
    await this.status.filter({ hasText: text }).waitFor();
  }

  /** Resolves when everything is on the server. */
  async saved(): Promise<void> {
    await this.status.filter({ hasText: 'All changes saved' }).waitFor();
  }
}

/** What a task is called at first, and what each of two devices calls it without knowing of the other. */
export interface Renaming {
  readonly title: string;
  readonly first: string;
  readonly second: string;
}

/** Adds a task that both devices rename offline; the first comes back last, and shows the conflict. */
export async function meetConflict(first: DeviceInPage, second: DeviceInPage, renaming: Renaming): Promise<void> {
  await first.add(renaming.title);
  await second.task(renaming.title).waitFor();
  await first.switchNetwork();
  await second.switchNetwork();
  await first.rename(renaming.title, renaming.first);
  await first.keeps(1);
  await second.rename(renaming.title, renaming.second);
  await second.keeps(1);
  await second.switchNetwork();
  await second.saved();
  await first.switchNetwork();
  await first.pane.getByRole('region', { name: 'Changed on two devices' }).waitFor();
}

interface OpenOptions {
  /** Whether the second device is shown. */
  readonly second: boolean;
}

/** Opens the app in a new tab. */
export async function openTab(context: BrowserContext, app: TodoApp, options?: OpenOptions): Promise<Page> {
  const page = await context.newPage();
  await openApp(page, app, options);
  return page;
}

/** Opens the app in this tab. */
export async function openApp(page: Page, { url }: TodoApp, options: OpenOptions = { second: false }): Promise<void> {
  page.setDefaultTimeout(WAIT_LIMIT_MS);
  await page.addInitScript((second) => localStorage.setItem('second-device', second), String(options.second));
  await page.goto(url);
}
