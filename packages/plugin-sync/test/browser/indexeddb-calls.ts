/** Calls the storages of a page that holds `indexeddb.page.ts`, each by its name. */
import type { Page } from 'playwright-core';
import type { StorageBatch } from '../../src/storage/client-storage.js';
import type { IndexedDbPage } from './indexeddb.page.js';

// What the bundle puts into the page.
declare const indexedDbPage: IndexedDbPage;

/** Answers the code of what it throws. */
export function commit(tab: Page, name: string, batch: StorageBatch): Promise<unknown> {
  // As JSON, because playwright's type for what may be handed in has no end for a type as deep as ours.
  return tab.evaluate(([to, json]) => indexedDbPage.commit(to, JSON.parse(json)), [
    name,
    JSON.stringify(batch),
  ] as const);
}

/** Answers the code of what it throws. */
export function load(tab: Page, name: string): Promise<unknown> {
  return tab.evaluate((given) => indexedDbPage.load(given), name);
}

/** The next call opens it again. */
export function close(tab: Page, name: string): Promise<void> {
  return tab.evaluate((given) => indexedDbPage.close(given), name);
}
