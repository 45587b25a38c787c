import { HonoServerPlugin } from '@objectstack/plugin-hono-server';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EventReader } from '../http/event-reader.fixture.js';
import { PULL_BODY, post, pushBody, seen } from '../http/requests.fixture.js';
import type { RecordResolver } from '../records/record-resolver.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import { SyncProtocolPlugin, type SyncProtocolPluginOptions } from '../sync-protocol-plugin.js';
import { createKernel as createSmallKernel } from './browser.js';
import { mountOnHttpServer } from './mount-on-http-server.js';
import { createKernel } from './node.js';

/** Without signal handlers, of which each kernel would leave some behind. */
const config = { gracefulShutdown: false, logger: { level: 'silent' } } as const;

describe.each([
  ["ObjectStack's kernel", createKernel],
  ['the small kernel', createSmallKernel],
])('%s', (_name, create) => {
  async function started(options: SyncProtocolPluginOptions) {
    const kernel = create({ plugins: [new SyncProtocolPlugin(options)], config });
    onTestFinished(() => kernel.shutdown());
    await kernel.start();
    return kernel;
  }

  it('has the handler of the users guide, which calls the resolver it is given', async () => {
    const records = new Map<unknown, object>();
    const resolver: RecordResolver = {
      getRecord: async (_objectName, recordId) => records.get(recordId),
      async applyMutation(mutation, serverVersion) {
        records.set(mutation.recordId, { ...mutation.data, _id: mutation.recordId, _version: serverVersion });
      },
    };
    const kernel = await started({
      endpoint: { enabled: true, path: '/api/sync', maxMutationsPerRequest: 100, changeLogRetentionDays: 30 },
      conflictFields: new Map([
        ['task', ['title', 'status', 'assignee']],
        ['project', ['name', 'budget']],
      ]),
    });
    const response = await kernel.syncProtocol.handler.handlePush(pushBody(), resolver);
    expect(response.results).toMatchObject([{ status: 'applied', serverVersion: 1 }]);
    expect([...records.values()]).toEqual([{ title: 'Buy milk', _id: 'task-1', _version: 1 }]);
  });

  it('offers the same as a service', async () => {
    const kernel = await started({});
    expect(kernel.getService('sync-protocol')).toBe(kernel.syncProtocol);
  });

  it('drops what is past its retention when it starts, and closes the store when it is shut down', async () => {
    const store = new MemoryStore();
    const transcript: string[] = [];
    const prune = store.prune.bind(store);
    const close = store.close.bind(store);
    store.prune = (slice) => {
      transcript.push('prune');
      return prune(slice);
    };
    store.close = () => {
      transcript.push('close');
      return close();
    };
    const kernel = await started({ store });
    await kernel.shutdown();
    expect(transcript).toEqual(['prune', 'close']);
  });

  it('serves one kernel after the other, and is closed with each', async () => {
    const sync = new SyncProtocolPlugin({ store: new MemoryStore(), endpoint: { enabled: false } });
    const pull = () => sync.endpoint(new Request('http://localhost/api/sync/pull', post(PULL_BODY)));
    const statuses: number[] = [];
    for (let round = 1; round <= 2; round++) {
      const kernel = create({ plugins: [sync], config });
      await kernel.start();
      const { handler } = kernel.syncProtocol;
      statuses.push((await pull()).status);
      await kernel.shutdown();
      statuses.push((await pull()).status);
      await expect(handler.handlePull(PULL_BODY)).rejects.toMatchObject({ code: 'BUSY' });
    }
    expect(statuses).toEqual([200, 503, 200, 503]);
  });
});

describe("ObjectStack's HTTP server", () => {
  async function serve(options: SyncProtocolPluginOptions, path = '/api/sync') {
    const server = new HonoServerPlugin({ port: 0 });
    const kernel = createKernel({ plugins: [new SyncProtocolPlugin(options), server], config });
    onTestFinished(() => kernel.shutdown());
    await kernel.start();
    const port = kernel.getService<{ getPort(): number }>('http.server').getPort();
    return (action: string, init: RequestInit) => fetch(`http://localhost:${port}${path}/${action}`, init);
  }

  it('serves push and pull where endpoint.enabled says so', async () => {
    const send = await serve({ endpoint: { enabled: true } });
    const pushed = await seen(await send('push', post(pushBody())));
    const pulled = await seen(await send('pull', post(PULL_BODY)));
    expect([pushed, pulled]).toMatchObject([
      { status: 200, body: { results: [{ status: 'applied' }] } },
      { status: 200, body: { serverChanges: [{ recordId: 'task-1' }] } },
    ]);
  });

  it('holds to the limits and tells wrong methods apart', async () => {
    const send = await serve({ endpoint: { enabled: true } });
    const large = await send('push', post({ text: 'x'.repeat(1024 * 1024) }));
    const wrong = await send('push', { method: 'DELETE' });
    expect([large.status, wrong.status, wrong.headers.get('allow')]).toEqual([413, 405, 'POST']);
  });

  it('serves at the path that endpoint.path says', async () => {
    const send = await serve({ endpoint: { enabled: true, path: '/offline' } }, '/offline');
    expect((await send('push', post(pushBody()))).status).toBe(200);
  });

  it('serves nothing where endpoint.enabled says no', async () => {
    const send = await serve({ endpoint: { enabled: false } });
    expect((await send('push', post(pushBody()))).status).toBe(404);
  });

  it('streams pokes where endpoint.realtime says so, and lets the kernel shut down', async () => {
    const server = new HonoServerPlugin({ port: 0 });
    const plugin = new SyncProtocolPlugin({ endpoint: { enabled: true, realtime: true } });
    const kernel = createKernel({ plugins: [plugin, server], config });
    await kernel.start();
    const port = kernel.getService<{ getPort(): number }>('http.server').getPort();
    const events = new EventReader(await fetch(`http://localhost:${port}/api/sync/stream`));
    const before = await events.place(0);
    await kernel.syncProtocol.handler.handlePush(pushBody());
    const after = await events.place(1);
    await kernel.shutdown();
    expect([before, after, await events.next()]).toEqual([0, 1, null]);
  });

  const text = 'x'.repeat(50_000);

  it('serves what the server has parsed where there is no app underneath to mount on', async () => {
    const { endpoint, handler } = new SyncProtocolPlugin({ endpoint: { enabled: false, realtime: true } });
    const mounting = {
      name: 'mounting',
      init() {},
      start(context: { getService(name: string): unknown }) {
        const server = context.getService('http.server') as Parameters<typeof mountOnHttpServer>[0];
        // All of it but the app underneath.
        const plain: typeof server = {
          post: (path, handle) => server.post(path, handle),
          get: (path, handle) => server.get(path, handle),
        };
        mountOnHttpServer(plain, { endpoint, path: '/api/sync', realtime: true });
      },
    };
    const kernel = createKernel({ plugins: [new HonoServerPlugin({ port: 0 }), mounting], config });
    onTestFinished(() => kernel.shutdown());
    await kernel.start();
    const port = kernel.getService<{ getPort(): number }>('http.server').getPort();
    const url = `http://localhost:${port}/api/sync/push`;
    expect(await seen(await fetch(url, post(pushBody())))).toMatchObject({
      status: 200,
      body: { results: [{ status: 'applied' }] },
    });
    expect(await seen(await fetch(url, post([])))).toMatchObject({
      status: 400,
      body: { error: { code: 'MALFORMED' } },
    });
    // `fetch` asks for packed answers; what is handed on as a value cannot be packed.
    await handler.recordChange({ objectName: 'note', recordId: 'large', operation: 'create', data: { text } });
    const pulled = await fetch(url.replace('push', 'pull'), post(PULL_BODY));
    expect([pulled.headers.get('cache-control'), await pulled.json()]).toMatchObject([
      'no-store',
      { serverChanges: [{ recordId: 'task-1' }, { data: { text } }] },
    ]);
    const streamUrl = `http://localhost:${port}/api/sync/stream`;
    const events = new EventReader(await fetch(streamUrl));
    await events.place(2);
    await handler.recordChange({ objectName: 'note', recordId: 'small', operation: 'create', data: {} });
    await events.place(3);
    const refused = await seen(await fetch(`${streamUrl}?checkpoint=nonsense`));
    await handler.close();
    expect([await events.next(), refused]).toMatchObject([
      null,
      { status: 400, body: { error: { code: 'INVALID_CHECKPOINT' } } },
    ]);
  });
});

it('knows from its plugins whether a kernel has syncProtocol', () => {
  const without = createKernel({ plugins: [] });
  // @ts-expect-error: no plugin adds it.
  expect(without.syncProtocol).toBeUndefined();
});
