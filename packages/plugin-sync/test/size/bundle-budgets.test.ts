import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { BUNDLE_BUDGETS, CORE } from './bundle-budgets.js';
import { dutyOf } from './bundle-duties.js';
import { measureBundle } from './measure-bundle.js';

describe('what a browser downloads', () => {
  for (const [use, { code, external, maxInitialBytes, maxTotalBytes }] of Object.entries(BUNDLE_BUDGETS)) {
    test(`for ${use} stays within its budget`, async () => {
      const { initialBytes, totalBytes } = await measureBundle(code, external);
      console.log(`${use}: ${initialBytes} bytes gz at once, ${totalBytes} with what is loaded on demand`);
      expect(initialBytes, 'loaded at once; `pnpm size` tells what weighs what').toBeLessThanOrEqual(maxInitialBytes);
      expect(totalBytes, 'loaded in all; `pnpm size` tells what weighs what').toBeLessThanOrEqual(maxTotalBytes);
    });
  }

  test('is what the page on browsers tells', () => {
    const page = readFileSync(new URL('../../../../docs/browser.md', import.meta.url), 'utf8');
    const told = Array.from(page.matchAll(/^\| (.+?)(?:, beside React)? \| (\d+\.\d) \|/gm), ([, use = '', kb]) => [
      use,
      kb,
    ]);
    const ceilings = told.map(([use = '']) => [use, ((BUNDLE_BUDGETS[use]?.maxInitialBytes ?? 0) / 1000).toFixed(1)]);
    expect(told).toHaveLength(4);
    expect(told).toEqual(ceilings);
  });

  test('is known source by source for the duty it has', async () => {
    const { bytesBySource } = await measureBundle(CORE);
    const sources = [...bytesBySource].flatMap(([path, bytes]) => (bytes > 0 && path !== '<stdin>' ? path : []));
    expect(sources.filter((path) => dutyOf(path) === undefined)).toEqual([]);
  });

  test('counts a chunk that is loaded on demand in the total alone', async () => {
    const here = "export { systemPlatform } from './platform/system-platform.js';";
    const both = `${here} export const later = () => import('./transport/http-transport.js');`;
    const [alone, lazy] = [await measureBundle(here), await measureBundle(both)];
    expect(lazy.initialBytes).toBeLessThan(alone.initialBytes + 200);
    expect(lazy.totalBytes).toBeGreaterThan(alone.totalBytes + 1000);
  });
});
