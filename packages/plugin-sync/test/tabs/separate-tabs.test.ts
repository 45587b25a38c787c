/** Tabs of one browser that have nothing to do with each other. */
import { expect, test } from 'vitest';
import { TestBrowser } from '../../src/platform/test-browser.fixture.js';
import { TestPlatform } from '../../src/platform/test-platform.js';
import { sharedTabs } from '../../src/tabs/shared-tabs.js';
import { FaultStorage } from '../../src/testing/fault-storage.js';
import { device } from '../fixtures/device.js';
import { LastingStorage } from '../fixtures/lasting-storage.js';

test('leaves a tab on a storage of another name to sync for itself', async () => {
  const browser = new TestBrowser();
  const tabs = ['of ann', 'of bob'].map((sharedName, seed) =>
    device({
      platform: new TestPlatform({ seed }),
      storage: new FaultStorage(Object.assign(new LastingStorage(), { sharedName })),
      tabs: sharedTabs({ host: browser.newTab() }),
    }),
  );
  for (const { tasks, platform } of tabs) {
    tasks.records.create('t1', { title: 'one' });
    await platform.advance(1000);
  }
  expect(tabs.map(({ tasks, server }) => [tasks.status.pending, server.requests.length > 0])).toEqual([
    [0, true],
    [0, true],
  ]);
});
