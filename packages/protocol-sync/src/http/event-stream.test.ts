import { STREAM_HEARTBEAT_MS } from '@objectql/sync-types';
import { expect, test } from 'vitest';
import { TestClock } from '../platform/test-clock.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import { SyncHandler } from '../sync-handler.js';
import { EventReader } from './event-reader.fixture.js';
import { PULL_BODY, post, pushBody, seen } from './requests.fixture.js';
import { createSyncEndpoint, type SyncEndpointOptions } from './sync-endpoint.js';

const URL_OF = (action: string) => `http://localhost/api/sync/${action}`;

function realtime(options: Partial<SyncEndpointOptions> = {}) {
  const platform = new TestClock();
  const handler = new SyncHandler({ platform, store: new MemoryStore({ platform }) });
  const endpoint = createSyncEndpoint({ handler, realtime: true, platform, ...options });
  const open = (init: RequestInit = {}, query = '') => endpoint(new Request(URL_OF(`stream${query}`), init));
  let count = 0;
  const push = () => {
    count += 1;
    const [mutation] = pushBody().mutations;
    const id = `mutation-${count}`;
    // A cast, because `mutation` is of an array and the compiler cannot know that it is there.
    const mutations = [{ ...mutation, id, recordId: id, sequence: count } as never];
    return endpoint(new Request(URL_OF('push'), post(pushBody({ mutations }))));
  };
  return { platform, handler, endpoint, open, push };
}

test('begins with where the feed stands, and follows each commit with a poke', async () => {
  const { open, push } = realtime();
  await push();
  const events = new EventReader(await open());
  const first = await events.next();
  await push();
  expect([first, await events.next()]).toEqual(['2.id-1.1.0.', '2.id-1.2.0.']);
});

test('pokes with the very checkpoint that a pull of everything ends with', async () => {
  const { endpoint, open, push } = realtime();
  await push();
  const pulled = await seen(
    await endpoint(new Request(URL_OF('pull'), post({ ...PULL_BODY, objects: ['task', 'note'] }))),
  );
  const { checkpoint } = pulled.body as { readonly checkpoint: string };
  const events = new EventReader(await open({}, `?checkpoint=${encodeURIComponent(checkpoint)}`));
  expect(await events.next()).toBe(checkpoint);
});

test('begins also for a client that stands nowhere yet', async () => {
  const { open } = realtime();
  expect(await new EventReader(await open({}, '?checkpoint=')).next()).toBe('2.id-1.0.0.');
});

test('may be neither stored nor packed nor held back on its way', async () => {
  const { open } = realtime();
  const response = await open({ headers: { 'accept-encoding': 'gzip' } });
  expect([response.status, Object.fromEntries(response.headers)]).toEqual([
    200,
    {
      'cache-control': 'no-store, no-transform',
      'content-type': 'text/event-stream',
      'x-accel-buffering': 'no',
    },
  ]);
});

test('gives two signs of life in the half minute after which gateways cut a silent stream', async () => {
  const { platform, open } = realtime();
  const events = new EventReader(await open());
  await events.next();
  const beats = Promise.all([events.next(), events.next()]);
  await platform.advance(30_000);
  expect(await beats).toEqual(['beat', 'beat']);
});

test('keeps one poke, the newest, for a reader that takes none', async () => {
  const { platform, open, push } = realtime();
  const response = await open();
  for (let count = 0; count < 30; count++) {
    await push();
    await platform.advance(100);
  }
  await platform.advance(10 * STREAM_HEARTBEAT_MS);
  const events = new EventReader(response);
  const late = [await events.next(), await events.next()];
  await push();
  expect([...late, await events.next()]).toEqual(['2.id-1.0.0.', '2.id-1.30.0.', '2.id-1.31.0.']);
});

test('is not there unless realtime is switched on', async () => {
  const { open } = realtime({ realtime: false });
  expect(await seen(await open())).toEqual({
    status: 404,
    body: {
      error: {
        code: 'NOT_FOUND',
        message:
          'There is no sync endpoint here. There are POST /api/sync/push and POST /api/sync/pull; the option `path` moves them.',
      },
    },
  });
});

test('takes no other method than GET', async () => {
  const { open } = realtime();
  const refused = await open({ method: 'POST', body: '{}' });
  const message =
    'Sync takes no POST there. There are POST /api/sync/push, POST /api/sync/pull and GET /api/sync/stream.';
  expect([refused.headers.get('allow'), await seen(refused)]).toEqual([
    'GET',
    { status: 405, body: { error: { code: 'METHOD_NOT_ALLOWED', message } } },
  ]);
});

test('is refused to whoever authenticate does not know, and to a checkpoint that no server made', async () => {
  const unknown = realtime({ authenticate: () => null });
  const { open } = realtime();
  const refused = [await unknown.open(), await open({}, '?checkpoint=nonsense')];
  expect(await Promise.all(refused.map(seen))).toMatchObject([
    { status: 401, body: { error: { code: 'UNAUTHENTICATED' } } },
    { status: 400, body: { error: { code: 'INVALID_CHECKPOINT' } } },
  ]);
});

test('is open five times for one principal, and again as soon as one of them is over', async () => {
  const { open } = realtime({ authenticate: (request) => ({ id: request.headers.get('authorization') ?? '' }) });
  const as = (id: string) => open({ headers: { authorization: id } });
  const client = new AbortController();
  const first = await open({ headers: { authorization: 'anna' }, signal: client.signal });
  const others = [await as('anna'), await as('anna'), await as('anna'), await as('anna')];
  const sixth = await as('anna');
  const ben = await as('ben');
  client.abort();
  const [seventh, eighth] = [await as('anna'), await as('anna')];
  expect([first, ...others, sixth, ben, seventh, eighth].map(({ status }) => status)).toEqual([
    200, 200, 200, 200, 200, 429, 200, 200, 429,
  ]);
  const message = '5 streams of this principal are open. Pull from time to time instead.';
  expect([sixth.headers.get('retry-after'), await sixth.json()]).toEqual([
    '60',
    { error: { code: 'RATE_LIMITED', message, retryAfterMs: 60_000 } },
  ]);
});

test('counts no stream that could not begin', async () => {
  const { open } = realtime({ authenticate: () => ({ id: 'anna' }) });
  for (let count = 0; count < 6; count++) await open({}, '?checkpoint=nonsense');
  const statuses: number[] = [(await open()).status];
  // Over twice: its caller is gone, and it could not begin. What is open all the same stays counted.
  await open({ signal: AbortSignal.abort() }, '?checkpoint=nonsense');
  for (let count = 0; count < 5; count++) statuses.push((await open()).status);
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
});

for (const [how, end] of [
  ['the reader cancels', async ({ events }) => events.cancel()],
  ['the caller goes', async ({ client }) => client.abort()],
  ['it has lasted 15 minutes', async ({ platform }) => platform.advance(15 * 60_000)],
  ['the server closes', async ({ handler }) => handler.close()],
] satisfies [string, (ending: Ending) => Promise<void>][]) {
  test(`ends and leaves no timer behind when ${how}`, async () => {
    const { platform, handler, open, push } = realtime();
    const client = new AbortController();
    const events = new EventReader(await open({ signal: client.signal }));
    await events.next();
    await end({ events, client, platform, handler });
    let last: string | null = 'beat';
    while (last === 'beat') last = await events.next();
    // Whoever still watched would be told, and then there would be a pause.
    await push();
    await platform.advance(0);
    expect([last, platform.armed]).toEqual([null, 0]);
  });
}

interface Ending {
  readonly events: EventReader;
  readonly client: AbortController;
  readonly platform: TestClock;
  readonly handler: SyncHandler;
}

test('tells who comes while the server closes to come again', async () => {
  const { handler, open } = realtime();
  await handler.close();
  const refused = await open();
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
});

test('does not begin for a caller who is gone already', async () => {
  const { platform, open, push } = realtime();
  await open({ signal: AbortSignal.abort() });
  // Whoever watched would be told, and then there would be a pause.
  await push();
  await platform.advance(0);
  expect(platform.armed).toBe(0);
});

test('lets the server close at any moment of the beginning of a stream whose caller is gone', async () => {
  for (let turns = 0; turns < 20; turns++) {
    const { platform, handler, open } = realtime();
    const opening = open({ signal: AbortSignal.abort() });
    for (let count = 0; count < turns; count++) await Promise.resolve();
    await handler.close();
    await opening;
    expect([turns, platform.armed]).toEqual([turns, 0]);
  }
});
