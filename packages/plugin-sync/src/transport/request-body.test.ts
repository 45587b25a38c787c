import type { MutationLogEntry, SyncPushRequest } from '@objectql/sync-types';
import { expect, it, onTestFinished } from 'vitest';
import { startServer } from './http-server.fixture.js';
import { httpTransport } from './http-transport.js';

const ANSWER = { results: [], serverChanges: [], checkpoint: 'c1' };

/** A push so large that it is compressed. */
function largePush(): SyncPushRequest {
  const mutations = Array.from({ length: 50 }, (_, n): MutationLogEntry => {
    const recordId = `task-${n}`;
    const made = { clientId: 'device-1', timestamp: '2026-01-01T00:00:00.000Z', sequence: n + 1, baseVersion: 1 };
    return { id: `mutation-${n}`, objectName: 'task', recordId, operation: 'update', data: { title: 'Grün' }, ...made };
  });
  return { clientId: 'device-1', lastCheckpoint: null, protocol: 2, mutations };
}

/** A server that refuses compressed bodies, if it is to, and what it was sent: in which encoding, and what. */
async function serve({ refuses = false } = {}) {
  const { url, requests, close } = await startServer((response, { headers }) => {
    if (refuses && headers['content-encoding']) response.writeHead(415).end();
    else response.end(JSON.stringify(ANSWER));
  });
  onTestFinished(close);
  return { url, sent: () => requests.map(({ headers, body }) => [headers['content-encoding'], body]) };
}

for (const [compress, encoding] of [
  [true, 'gzip'],
  [false, undefined],
] as const) {
  it(`sends what it was told to prepare, and anything else as if it had not been told, where it ${compress ? 'compresses' : 'does not compress'}`, async () => {
    const { url, sent } = await serve();
    const request = largePush();
    const fewer = { ...request, mutations: request.mutations.slice(1) };
    const alike = structuredClone(request);
    const transport = httpTransport({ url, compress });
    const { prepare = () => {} } = transport;
    prepare(request.mutations);
    await transport.push(request);
    await transport.push({ ...request, lastCheckpoint: 'c1' });
    prepare(request.mutations);
    await transport.push(fewer);
    prepare(request.mutations);
    await transport.push(alike);
    expect(sent()).toEqual([
      [encoding, request],
      [encoding, { ...request, lastCheckpoint: 'c1' }],
      [encoding, fewer],
      [encoding, alike],
    ]);
  });
}

it('sends plainly what it has compressed already to a server that refuses that', async () => {
  const { url, sent } = await serve({ refuses: true });
  const request = largePush();
  const transport = httpTransport({ url });
  for (let push = 0; push < 2; push++) {
    transport.prepare?.(request.mutations);
    await transport.push(request);
  }
  const [, ...plain] = sent();
  expect(plain).toEqual([
    [undefined, request],
    [undefined, request],
  ]);
});

it('lets what is asked behind an answer leave before it hands that one over', async () => {
  const happened: string[] = [];
  const fetch: typeof globalThis.fetch = async () => {
    happened.push('sends');
    return new Response(JSON.stringify(ANSWER), { headers: { 'sync-next-page': 'c1' } });
  };
  const transport = httpTransport({ url: '/api/sync', fetch });
  let behind: Promise<unknown> | undefined;
  const onNextPage = () => {
    behind = transport.push(largePush());
  };
  await transport.push({ ...largePush(), mutations: [] }, { signal: new AbortController().signal, onNextPage });
  happened.push('hands over');
  await behind;
  expect(happened).toEqual(['sends', 'sends', 'hands over']);
});
