/** Opens pages in a real browser that hold TypeScript of the packages. */
import { createRequire } from 'node:module';
import { build } from 'esbuild';
import { type Browser, chromium, type Page } from 'playwright-core';
import { WAIT_LIMIT_MS } from '../../../../vitest.limits.js';
import { chromiumCommand } from './chromium.js';

/** Starts a browser; the caller closes it. */
export async function openBrowser(): Promise<Browser> {
  const { executablePath, args } = await chromiumCommand();
  return chromium.launch({ executablePath, args: [...args], timeout: WAIT_LIMIT_MS });
}

/**
 * Bundles the module at this path for a page; an import of `vitest` becomes one of `page-tests.ts`, and `alias` names
 * more modules to replace.
 */
export async function bundleForPage(path: string, alias: Readonly<Record<string, string>> = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    alias: { ...alias, vitest: createRequire(import.meta.url).resolve('./page-tests.ts') },
  });
  return outputFiles.map((file) => file.text).join('\n');
}

/** Gives a page a secure origin, so that it may store things, and runs a bundle in it. Fails with what the bundle throws. */
export async function openPage(page: Page, bundle: string): Promise<void> {
  page.setDefaultTimeout(WAIT_LIMIT_MS);
  const errors: Error[] = [];
  page.on('pageerror', (error) => errors.push(error));
  await page.route('**/*', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html>' }));
  await page.goto('https://app.test/');
  await page.addScriptTag({ content: bundle });
  const [error] = errors;
  if (error) throw new Error('The bundle cannot run in a page.', { cause: error });
}
