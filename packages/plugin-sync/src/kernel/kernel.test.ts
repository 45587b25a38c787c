import type { SyncPushRequest, SyncPushResponse } from '@objectql/sync-types';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SyncPlugin } from '../sync-plugin.js';
import type { SyncTransport } from '../transport/transport.js';
import { createKernel as createSmallKernel } from './browser.js';
import { createKernel } from './node.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

/** Without signal handlers, of which each kernel would leave some behind. */
const config = { gracefulShutdown: false } as const;

/** A server that applies whatever is pushed, and the requests it got. */
function agreeingServer() {
  const requests: SyncPushRequest[] = [];
  const transport: SyncTransport = {
    async push(request): Promise<SyncPushResponse> {
      requests.push(request);
      const results = request.mutations.map(() => ({ status: 'applied' as const, serverVersion: 1 }));
      return { results, serverChanges: [], checkpoint: 'c1' };
    },
  };
  return { transport, requests };
}

describe.each([
  ["ObjectStack's kernel", createKernel],
  ['the small kernel', createSmallKernel],
])('%s', (_name, create) => {
  it('runs the client of the users guide as kernel.sync', async () => {
    const { transport, requests } = agreeingServer();
    const kernel = create({
      plugins: [
        new SyncPlugin({
          clientId: 'device-abc-123',
          transport,
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
    const sent = requests.flatMap(({ mutations }) => mutations.map(({ recordId, data }) => [recordId, data]));
    expect(sent).toEqual([['t1', { title: 'a' }]]);
    expect(kernel.getService('sync')).toBe(kernel.sync);
  });
});

it('knows from its plugins whether a kernel has sync', () => {
  const without = createKernel({ plugins: [] });
  // @ts-expect-error: no plugin adds it.
  expect(without.sync).toBeUndefined();
});
