/** Many requests at once, and a log that grows, over real sockets. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MAX_MUTATIONS, MAX_PAGE_BYTES, MAX_PAGE_RECORDS, type SyncPushResponse } from '@objectql/sync-types';
import { expect, it, onTestFinished } from 'vitest';
import { type RecordResolver, storeResolver } from '../records/record-resolver.js';
import { SyncHandler } from '../sync-handler.js';
import { toNodeHandler } from './node.js';
import { post, pushBody } from './requests.fixture.js';
import { createSyncEndpoint } from './sync-endpoint.js';

it('answers a thousand clients that push at the same moment, each mutation once', async () => {
  const { push, walk } = await start();
  const statuses = await Promise.all(numbers(1000).map(async (n) => (await push(n, `user-${n}`)).status));
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect((await walk()).map(({ recordId, serverVersion }) => `${recordId} ${serverVersion}`).toSorted()).toEqual(
    numbers(1000)
      .map((n) => `task-${n} 1`)
      .toSorted(),
  );
});

it('lets one user who sends a thousand requests at once have a few, and the rest when asked again', async () => {
  // The first 16 writes wait until somebody was refused, so that they are still there when the others come.
  let letThrough = () => {};
  const gate = new Promise<void>((resolve) => {
    letThrough = resolve;
  });
  const { push, walk } = await start({ ...storeResolver, applyMutation: () => gate });
  const refused: (string | null)[] = [];
  async function untilTaken(n: number): Promise<void> {
    for (;;) {
      const response = await push(n, 'ada');
      await response.body?.cancel();
      if (response.status === 200) return;
      refused.push(`${response.status} ${response.headers.get('retry-after') !== null}`);
      letThrough();
    }
  }
  // Another user is served all the while.
  const others = numbers(20).map(async (n) => (await push(2000 + n, `other-${n}`)).status);
  await Promise.all(numbers(1000).map(untilTaken));
  expect(new Set(refused)).toEqual(new Set(['429 true']));
  expect(new Set(await Promise.all(others))).toEqual(new Set([200]));
  expect(new Set((await walk()).map(({ serverVersion }) => serverVersion))).toEqual(new Set([1]));
  expect(await walk()).toHaveLength(1020);
});

it('takes a log as long as it gets in batches, and hands out what it became in pages of bounded size', async () => {
  const { push, walk } = await start();
  const total = 5000;
  for (let first = 0; first < total; first += MAX_MUTATIONS) {
    const response = await push(first, 'ada', MAX_MUTATIONS);
    const { results } = (await response.json()) as SyncPushResponse;
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(['applied']));
  }
  const pages: number[] = [];
  const changes = await walk((page, bytes) => {
    pages.push(page.serverChanges.length);
    expect(page.serverChanges.length).toBeLessThanOrEqual(MAX_PAGE_RECORDS);
    // The envelope around the page comes on top.
    expect(bytes).toBeLessThanOrEqual(MAX_PAGE_BYTES + 10_000);
  });
  expect([changes.length, new Set(changes.map(({ recordId }) => recordId)).size]).toEqual([total, total]);
  expect(pages.length).toBeGreaterThanOrEqual(total / MAX_PAGE_RECORDS);
});

async function start(resolver?: RecordResolver) {
  const authenticate = (request: Request) => ({ id: request.headers.get('authorization') ?? 'nobody' });
  const endpoint = createSyncEndpoint({ handler: new SyncHandler(), resolver, authenticate });
  const server = createServer(toNodeHandler(endpoint)).listen(0, '127.0.0.1', 2048);
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/sync`;
  const [sample] = pushBody().mutations;
  if (!sample) throw new Error('A push has one mutation.');

  /** Pushes new records from the n-th on, as a user's log does. */
  function push(n: number, user: string, count = 1): Promise<Response> {
    const mutations = numbers(count).map((offset) => {
      const id = n + offset;
      return { ...sample, id: `mutation-${id}`, recordId: `task-${id}`, sequence: id + 1 };
    });
    // The compiler cannot know that `sample` has all that a mutation needs.
    const body = pushBody({ logId: `log-of-${user}`, pull: false, mutations: mutations as never });
    return fetch(`${url}/push`, post(body, { authorization: user }));
  }

  async function walk(onPage: (page: SyncPushResponse, bytes: number) => void = () => {}) {
    const changes: SyncPushResponse['serverChanges'][number][] = [];
    for (let lastCheckpoint: string | null = null; ; ) {
      const request = { clientId: 'reader', protocol: 2, lastCheckpoint };
      const text = await (await fetch(`${url}/pull`, post(request, { authorization: 'reader' }))).text();
      const page = JSON.parse(text) as SyncPushResponse;
      onPage(page, text.length);
      changes.push(...page.serverChanges);
      if (!page.hasMore) return changes;
      lastCheckpoint = page.checkpoint;
    }
  }
  return { push, walk };
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, n) => n);
}
