import type { KernelContext } from '@objectql/sync-types/kernel';
import { expect, it } from 'vitest';
import { PULL_BODY, post, pushBody, seen } from './http/requests.fixture.js';
import { DAY_MS } from './sync-handler.fixture.js';
import { SyncProtocolPlugin, type SyncProtocolPluginOptions } from './sync-protocol-plugin.js';

it('serves without a kernel, right after new', async () => {
  const { handler, endpoint } = new SyncProtocolPlugin({ endpoint: { enabled: false, path: '/sync' } });
  await handler.handlePush(pushBody());
  const pulled = await seen(await endpoint(new Request('http://localhost/sync/pull', post(PULL_BODY))));
  expect(pulled).toMatchObject({ status: 200, body: { serverChanges: [{ recordId: 'task-1' }] } });
});

it('hands its options to handler and endpoint', async () => {
  const written: unknown[] = [];
  const { handler, endpoint } = new SyncProtocolPlugin({
    endpoint: { enabled: true, maxMutationsPerRequest: 7 },
    limits: { maxPageRecords: 9 },
    conflictFields: new Map([['task', ['title']]]),
    strategy: 'manual',
    authenticate: () => ({ id: 'anna' }),
    resolver: {
      getRecord: () => undefined,
      applyMutation: (mutation, _version, { principal }) => void written.push([mutation.id, principal?.id]),
    },
  });
  const answer = await seen(await endpoint(new Request('http://localhost/api/sync/push', post(pushBody()))));
  expect([handler.limits.maxMutations, handler.limits.maxPageRecords]).toEqual([7, 9]);
  expect([answer.status, written]).toEqual([200, [['mutation-1', 'anna']]]);
});

it('remembers deletes for as many days as endpoint.changeLogRetentionDays says', async () => {
  let now = Date.UTC(2026, 0, 1);
  const platform = { now: () => now, randomId: () => crypto.randomUUID(), setTimer: () => () => {} };
  const { handler } = new SyncProtocolPlugin({ endpoint: { enabled: true, changeLogRetentionDays: 2 }, platform });
  const task = { objectName: 'task', recordId: 'task-1' };
  await handler.recordChange({ ...task, operation: 'create', data: { title: 'x' } });
  await handler.recordChange({ ...task, operation: 'delete' });
  const removed: number[] = [];
  for (const days of [1, 2]) {
    now += days * DAY_MS;
    removed.push((await handler.prune()).removed);
  }
  expect(removed).toEqual([0, 1]);
});

it('works on as many requests of one principal as endpoint.maxConcurrentRequests says', async () => {
  let duringTheFirst = 0;
  const { endpoint } = new SyncProtocolPlugin({
    endpoint: { enabled: true, maxConcurrentRequests: 1 },
    authenticate: () => ({ id: 'anna' }),
    resolver: {
      getRecord: () => undefined,
      async applyMutation() {
        duringTheFirst = await send(PULL_BODY, 'pull');
      },
    },
  });
  const send = async (body: object, action: string) =>
    (await endpoint(new Request(`http://localhost/api/sync/${action}`, post(body)))).status;
  expect([await send(pushBody(), 'push'), duringTheFirst, await send(PULL_BODY, 'pull')]).toEqual([200, 429, 200]);
});

/** The kernel of a test: an HTTP server that takes routes, and a logger that keeps what it is told. */
function kernelWithServer() {
  const routes: string[] = [];
  const logged: unknown[][] = [];
  const log = (...told: unknown[]) => void logged.push(told);
  const server = { post: (path: string) => routes.push(path), get: (path: string) => routes.push(path) };
  const context = {
    logger: { debug: log, info: log, warn: log, error: log },
    getKernel: () => ({}),
    getServices: () => new Map([['http.server', server]]),
    registerService: () => {},
  } as Partial<KernelContext> as KernelContext;
  return { routes, logged, context };
}

it('warns who serves sync on a kernel without knowing who is asking, and nobody else', async () => {
  for (const authenticate of [undefined, () => ({ id: 'anna' })]) {
    const { routes, logged, context } = kernelWithServer();
    const plugin = new SyncProtocolPlugin({ endpoint: { enabled: true }, authenticate });
    await plugin.init(context);
    await plugin.start(context);
    await plugin.destroy();
    expect(routes).toEqual(['/api/sync/push', '/api/sync/pull']);
    expect(logged).toEqual(authenticate ? [] : [[expect.stringMatching(/^Sync: \/api\/sync is served to whoever/)]]);
  }
});

it('says nothing of old deletes that it had no time to drop before it was shut down', async () => {
  const { logged, context } = kernelWithServer();
  const plugin = new SyncProtocolPlugin();
  await plugin.init(context);
  await plugin.start(context);
  await plugin.destroy();
  expect(logged).toEqual([]);
});

it('tells the logger of its kernel once what makes requests fail, and what makes writes fail', async () => {
  const { logged, context } = kernelWithServer();
  const outage = new Error('the session store is down');
  const poison = new Error('the table is gone');
  let isDown = true;
  const plugin = new SyncProtocolPlugin({
    authenticate: () => (isDown ? Promise.reject(outage) : { id: 'anna' }),
    resolver: { getRecord: () => undefined, applyMutation: () => Promise.reject(poison) },
  });
  await plugin.init(context);
  const send = () => plugin.endpoint(new Request('http://localhost/api/sync/push', post(pushBody())));
  await send();
  await send();
  isDown = false;
  await send();
  await send();
  expect(logged).toEqual([
    ['Sync: a request failed.', outage],
    ['Sync: WRITE_FAILED: Mutation mutation-1 could not be applied.', poison],
  ]);
});

const anything = (options: object) => options as SyncProtocolPluginOptions;

it.each([
  [anything({ endpiont: {} }), /^SyncProtocolPlugin: endpiont is unknown. Known: endpoint, conflictFields, /],
  [anything({ endpoint: { enabled: true, pth: '/' } }), /endpoint\.pth is unknown\. Known: enabled, path, /],
  [anything({ endpoint: {} }), /endpoint\.enabled must be true or false\./],
  [
    anything({ endpoint: { enabled: true, path: 'https://x/sync' } }),
    /endpoint\.path must be a path like '\/api\/sync'/,
  ],
  [anything({ endpoint: { enabled: true, path: '/sync?region=eu' } }), /endpoint\.path must be a path like/],
  [anything({ endpoint: { enabled: true, path: ['/sync'] } }), /endpoint\.path must be a path like/],
  [
    anything({ endpoint: { enabled: true, realtime: { enabled: true } } }),
    /endpoint\.realtime must be true or false\./,
  ],
  [
    anything({ endpoint: { enabled: true, maxMutationsPerRequest: 0 } }),
    /maxMutationsPerRequest must be a positive number/,
  ],
  [
    anything({ endpoint: { enabled: true, changeLogRetentionDays: Number.NaN } }),
    /changeLogRetentionDays must be a positive/,
  ],
  [anything({ limits: { maxBodyByte: 1 } }), /limits\.maxBodyByte is unknown/],
  [anything({ conflictFields: { task: ['title'] } }), /conflictFields must be a Map, e\.g\. new Map\(/],
  [anything({ conflictFields: new Map([['task', 'title']]) }), /conflictFields must list field names for task\./],
  [
    anything({ endpoint: { enabled: true, maxMutationsPerRequest: 5 }, limits: { maxMutations: 5 } }),
    /endpoint\.maxMutationsPerRequest and limits\.maxMutations are the same limit/,
  ],
])('refuses options that cannot be meant: %j', (options, message) => {
  expect(() => new SyncProtocolPlugin(options)).toThrow(message);
});
