import { describe, expect, it, onTestFinished } from 'vitest';
import { ScriptedServer } from '../../test/fixtures/scripted-server.js';
import { TestPlatform } from '../platform/test-platform.js';
import { SyncPlugin } from '../sync-plugin.js';
import { createKernel as createSmallKernel } from './browser.js';
import { createKernel } from './node.js';

/** Without signal handlers, of which each kernel would leave some behind. */
const config = { gracefulShutdown: false } as const;

describe.each([
  ["ObjectStack's kernel", createKernel],
  ['the small kernel', createSmallKernel],
])('%s', (_name, create) => {
  it('runs the client of the users guide as kernel.sync', async () => {
    const server = new ScriptedServer(new TestPlatform());
    const kernel = create({
      plugins: [
        new SyncPlugin({
          clientId: 'device-abc-123',
          transport: server,
          defaultConfig: {
            enabled: true,
            strategy: 'last-write-wins',
            direction: 'bidirectional',
            debounce_ms: 2000,
            batch_size: 50,
          },
        }),
      ],
      config,
    });
    onTestFinished(() => kernel.shutdown());
    await kernel.start();
    const engine = kernel.sync.getEngine('task');
    engine.recordMutation({
      objectName: 'task',
      recordId: 't1',
      operation: 'create',
      data: { title: 'a' },
      baseVersion: null,
    });
    await engine.sync();
    const sent = server.requests.flatMap(({ mutations }) => mutations.map(({ recordId, data }) => [recordId, data]));
    expect(sent).toEqual([['t1', { title: 'a' }]]);
    expect(kernel.getService('sync')).toBe(kernel.sync);
  });
});

it('knows from its plugins whether a kernel has sync', () => {
  const without = createKernel({ plugins: [] });
  // @ts-expect-error: no plugin adds it.
  expect(without.sync).toBeUndefined();
});
