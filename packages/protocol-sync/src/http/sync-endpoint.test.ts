import { REQUEST_TIMEOUT_MS } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import type { Principal } from '../principal.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import { StoreBusyError, type StoreTransaction } from '../storage/sync-store.js';
import { SyncHandler } from '../sync-handler.js';
import { SyncRequestError } from '../sync-request-error.js';
import { gatedResolver, PULL_BODY, post, pushBody, seen } from './requests.fixture.js';
import { createSyncEndpoint, type SyncEndpointOptions } from './sync-endpoint.js';

const URL_OF = (action: string) => `http://localhost/api/sync/${action}`;

function endpointWith(options: Partial<SyncEndpointOptions> = {}) {
  const reported: unknown[] = [];
  const endpoint = createSyncEndpoint({
    handler: new SyncHandler(),
    onError: (error) => reported.push(error),
    ...options,
  });
  const send = (url: string, init?: RequestInit) => endpoint(new Request(url, init));
  return { endpoint, send, reported };
}

const signedIn: Principal = { id: 'anna' };

it('answers a push, and a pull that brings what was pushed', async () => {
  const { send } = endpointWith();
  const pushed = await seen(await send(URL_OF('push'), post(pushBody())));
  const pulled = await seen(await send(URL_OF('pull'), post(PULL_BODY)));
  expect(pushed).toMatchObject({ status: 200, body: { results: [{ status: 'applied', serverVersion: 1 }] } });
  expect(pulled).toMatchObject({
    status: 200,
    body: { serverChanges: [{ objectName: 'task', recordId: 'task-1', data: { title: 'Buy milk' } }] },
  });
});

it('leaves it to Next.js to pack an answer', async () => {
  const { endpoint, send } = endpointWith();
  const [mutation] = pushBody().mutations;
  const notes = 'x'.repeat(100_000);
  await send(
    URL_OF('push'),
    post(pushBody({ mutations: [{ ...mutation, data: { notes } } as typeof mutation & object] })),
  );
  const pull = () => new Request(URL_OF('pull'), post(PULL_BODY, { 'accept-encoding': 'gzip' }));
  const usual = await endpoint(pull());
  const next = await endpoint(Object.assign(pull(), { nextUrl: new URL(URL_OF('pull')) }));
  expect([usual, next].map(({ headers }) => headers.get('content-encoding'))).toEqual(['gzip', null]);
  expect(await next.json()).toMatchObject({ serverChanges: [{ data: { notes } }] });
});

it('I3 tells where the answer to a push ends when it is committed, and no sooner', async () => {
  const happened: (string | null)[] = [];
  class WatchedStore extends MemoryStore {
    override async transaction<T>(work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
      const done = await super.transaction(work);
      // Time in which an answer that waits for nothing would leave.
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      happened.push('committed');
      return done;
    }
  }
  const { send } = endpointWith({ handler: new SyncHandler({ store: new WatchedStore() }) });
  const response = await send(URL_OF('push'), post(pushBody()));
  happened.push(response.headers.get('sync-next-page'));
  const { checkpoint } = await response.json();
  expect(happened).toEqual(['committed', checkpoint]);
});

it('writes through the resolver, as whoever is signed in', async () => {
  // As applications declare theirs: TypeScript takes no interface for a record of claims.
  interface Person {
    readonly id: string;
    readonly role: string;
  }
  const anna: Person = { id: 'anna', role: 'inspector' };
  const written: unknown[] = [];
  const { send } = endpointWith({
    authenticate: (request) => (request.headers.get('authorization') === 'anna' ? anna : null),
    resolver: {
      getRecord: () => undefined,
      applyMutation: (mutation, version, { principal }) => void written.push([mutation.recordId, version, principal]),
    },
  });
  await send(URL_OF('push'), post(pushBody(), { authorization: 'anna' }));
  expect(written).toEqual([['task-1', 1, anna]]);
});

it('serves its path below any mount point, with or without a slash at the end', async () => {
  const { send } = endpointWith({ path: 'sync/' });
  const found = ['/sync/pull', '/tenants/7/sync/pull', '/sync/pull/', '/sync/pull?region=eu'];
  const missed = ['/resync/pull', '/sync', '/sync/pull/more', '/sync/stream', '/'];
  const status = async (path: string) => (await send(`http://localhost${path}`, post(PULL_BODY))).status;
  expect(await Promise.all(found.map(status))).toEqual([200, 200, 200, 200]);
  expect(await Promise.all(missed.map(status))).toEqual([404, 404, 404, 404, 404]);
});

it('serves at the root, and below a path with slashes too many', async () => {
  const atRoot = endpointWith({ path: '/' });
  const below = endpointWith({ path: '//sync//' });
  expect((await atRoot.send('http://localhost/pull', post(PULL_BODY))).status).toBe(200);
  expect((await below.send('http://localhost/sync/pull//', post(PULL_BODY))).status).toBe(200);
});

it('reads a path of two hundred thousand slashes in one walk, before it knows who asks', async () => {
  const { send } = endpointWith();
  expect((await send(`http://localhost/a${'/'.repeat(200_000)}pull`)).status).toBe(404);
  // A turn of the event loop, so that a search of two minutes meets the test's own limit.
  await new Promise((resolve) => setImmediate(resolve));
});

it('tells a wrong method which one there is', async () => {
  const { send } = endpointWith();
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
    const response = await send(URL_OF('push'), { method });
    expect([response.headers.get('allow'), await seen(response)]).toEqual([
      'POST',
      {
        status: 405,
        body: {
          error: {
            code: 'METHOD_NOT_ALLOWED',
            message: `Sync takes no ${method} there. There are POST /api/sync/push and POST /api/sync/pull.`,
          },
        },
      },
    ]);
  }
});

it('answers 401 to whoever authenticate does not know, before reading the body', async () => {
  const body = { error: { code: 'UNAUTHENTICATED', message: 'Nobody is signed in. Sign in and send it again.' } };
  const expired = new Error('jwt expired');
  const unknown = endpointWith({ authenticate: () => null });
  const throwing = endpointWith({
    authenticate: () => {
      throw expired;
    },
  });
  const untouched = new Request(URL_OF('push'), post('not JSON'));
  expect(await seen(await unknown.endpoint(untouched))).toEqual({ status: 401, body });
  expect(untouched.bodyUsed).toBe(false);
  expect(await seen(await throwing.send(URL_OF('push'), post(pushBody())))).toEqual({ status: 401, body });
  expect([unknown.reported, throwing.reported]).toEqual([[], [expired]]);
});

it('lets authenticate answer with an error of its own', async () => {
  const { send } = endpointWith({
    authenticate: () => Promise.reject(new SyncRequestError('BUSY', 'Sign-in is down.', { retryAfterMs: 2000 })),
  });
  const response = await send(URL_OF('push'), post(pushBody()));
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '2']);
});

it('takes no principal without an id', async () => {
  for (const principal of [{ name: 'anna' }, { id: 7 }, { id: '' }]) {
    // A cast, because what is proved is what happens to an application without types.
    const { send, reported } = endpointWith({ authenticate: () => principal as unknown as Principal });
    expect((await send(URL_OF('push'), post(pushBody()))).status).toBe(500);
    expect(reported).toEqual([
      new TypeError("The principal's id must be a text that is not empty, e.g. String(user.id)."),
    ]);
  }
});

it('hides what went wrong inside from the caller and reports it', async () => {
  const failure = new Error('password authentication failed for user "sync"');
  const handler = new SyncHandler();
  const { open } = handler.store;
  handler.store.open = () => {
    handler.store.open = open;
    return Promise.reject(failure);
  };
  const { send, reported } = endpointWith({ handler });
  expect(await seen(await send(URL_OF('push'), post(pushBody())))).toEqual({
    status: 500,
    body: {
      error: { code: 'INTERNAL', message: 'The server failed. Nothing is lost; send the same request again.' },
    },
  });
  expect(reported).toEqual([failure]);
  // The database that was down at the first request is up at the next.
  expect((await send(URL_OF('push'), post(pushBody()))).status).toBe(200);
});

it('reports why it is busy to the operator, and not to the caller', async () => {
  const outage = new StoreBusyError('The database is out of reach.', {
    cause: new Error('connect ECONNREFUSED 10.0.0.7:5432'),
  });
  const handler = new SyncHandler();
  handler.store.open = () => Promise.reject(outage);
  const busy = endpointWith({ handler });
  const unknown = new Error('The sessions are out of reach.');
  const cannotTell = endpointWith({
    authenticate: () => Promise.reject(new SyncRequestError('BUSY', 'Try again.', { cause: unknown })),
  });
  const message = 'The store is busy. Nothing is lost; send the same request again.';
  expect(await seen(await busy.send(URL_OF('push'), post(pushBody())))).toEqual({
    status: 503,
    body: { error: { code: 'BUSY', message, retryAfterMs: 1000 } },
  });
  expect((await cannotTell.send(URL_OF('pull'), post(PULL_BODY))).status).toBe(503);
  expect([busy.reported, cannotTell.reported]).toEqual([[outage], [unknown]]);
});

it('reports nothing when a caller goes in the middle of its body', async () => {
  const { endpoint, reported } = endpointWith();
  const caller = new AbortController();
  let isAsked = (): void => {};
  const asked = new Promise<void>((resolve) => {
    isAsked = resolve;
  });
  const stalls = new ReadableStream({ pull: () => isAsked() }, { highWaterMark: 0 });
  // `duplex` is missing from the DOM's types; Node demands it for a streamed body.
  const init: RequestInit & { duplex: 'half' } = {
    ...post(''),
    body: stalls,
    signal: caller.signal,
    duplex: 'half',
  };
  const answering = endpoint(new Request(URL_OF('push'), init));
  await asked;
  caller.abort();
  await answering;
  expect(reported).toEqual([]);
});

it.each([
  ['text that is not JSON', '{"clientId":', 400],
  ['nothing', '', 400],
  ['an array', '[]', 400],
  ['null', 'null', 400],
  ['a number', '7', 400],
  ['an object that is no push', '{"clientId":"a"}', 400],
  ['the same key twice', '{"clientId":"a","clientId":"b","lastCheckpoint":null,"mutations":[]}', 400],
  ['a million levels', '['.repeat(500_000) + ']'.repeat(500_000), 400],
  ['more than the limit', JSON.stringify({ clientId: 'x'.repeat(1024 * 1024) }), 413],
])('refuses %s, and goes on serving', async (_what, body, status) => {
  const { send, reported } = endpointWith();
  const refused = await send(URL_OF('push'), post(body));
  expect([refused.status, reported]).toEqual([status, []]);
  expect((await send(URL_OF('push'), post(pushBody()))).status).toBe(200);
});

it('rejects a mutation that is nested too deep alone, and applies its neighbour', async () => {
  const { send } = endpointWith();
  const [good] = pushBody().mutations;
  const levels = 40;
  const deep = {
    ...good,
    id: 'deep',
    sequence: 2,
    recordId: 'deep',
    data: { a: JSON.parse('['.repeat(levels) + ']'.repeat(levels)) },
  };
  const { body } = await seen(await send(URL_OF('push'), post({ ...pushBody(), mutations: [deep, good] })));
  expect(body).toMatchObject({
    results: [
      { status: 'rejected', code: 'INVALID', mutationId: 'deep' },
      { status: 'applied', serverVersion: 1 },
    ],
  });
});

it('holds each principal to its number of requests at once', async () => {
  const { resolver, reached, open } = gatedResolver();
  const { send } = endpointWith({
    resolver,
    maxConcurrentRequests: 1,
    authenticate: (request) => ({ id: request.headers.get('authorization') ?? '' }),
  });
  const first = send(URL_OF('push'), post(pushBody(), { authorization: 'anna' }));
  await reached;
  const second = await send(URL_OF('pull'), post(PULL_BODY, { authorization: 'anna' }));
  const others = await send(URL_OF('pull'), post(PULL_BODY, { authorization: 'ben' }));
  open();
  expect([second.status, second.headers.get('retry-after'), others.status]).toEqual([429, '1', 200]);
  expect((await first).status).toBe(200);
  expect((await send(URL_OF('pull'), post(PULL_BODY, { authorization: 'anna' }))).status).toBe(200);
});

it('works on sixteen requests of one principal at once where nothing else is said', async () => {
  const { resolver, reached, open } = gatedResolver();
  const { send } = endpointWith({ resolver, authenticate: () => ({ id: 'anna' }) });
  const sixteen = Array.from({ length: 16 }, () => send(URL_OF('push'), post(pushBody())));
  await reached;
  const next = await send(URL_OF('pull'), post(PULL_BODY));
  open();
  const statuses = (await Promise.all(sixteen)).map(({ status }) => status);
  expect([next.status, statuses]).toEqual([429, Array(16).fill(200)]);
});

it('answers 503 when time is up, and tells the resolver to stop', async () => {
  const timers = new Map<number, () => void>();
  const { resolver, reached } = gatedResolver();
  const { send } = endpointWith({
    resolver,
    authenticate: () => signedIn,
    platform: {
      now: () => 0,
      randomId: () => 'id',
      setTimer: (work, delayMs) => {
        timers.set(delayMs, work);
        return () => timers.delete(delayMs);
      },
    },
  });
  const answering = send(URL_OF('push'), post(pushBody()));
  const signal = await reached;
  timers.get(REQUEST_TIMEOUT_MS)?.();
  const response = await answering;
  expect([response.status, response.headers.get('retry-after'), signal.aborted]).toEqual([503, '5', true]);
  const message = 'The request was not received and answered within 30 s. Send it again.';
  expect(await response.json()).toEqual({ error: { code: 'BUSY', message, retryAfterMs: 5000 } });
});

it('keeps no timer once it has answered', async () => {
  const timers = new Set<() => void>();
  const platform = {
    now: () => 0,
    randomId: () => 'id',
    setTimer: (work: () => void) => {
      timers.add(work);
      return () => timers.delete(work);
    },
  };
  const authorize = { read: async () => 'allow' as const };
  const resolver = { getRecord: () => undefined, applyMutation: () => undefined };
  const { send } = endpointWith({ platform, resolver, handler: new SyncHandler({ platform, authorize }) });
  await send(URL_OF('push'), post(pushBody()));
  await send(URL_OF('pull'), post(PULL_BODY));
  expect(timers.size).toBe(0);
});

for (const action of ['push', 'pull']) {
  it(`answers 503 to a ${action} that comes after the handler was closed, so that the client comes again`, async () => {
    const handler = new SyncHandler();
    const { send, reported } = endpointWith({ handler });
    const body = action === 'push' ? pushBody() : PULL_BODY;
    await send(URL_OF(action), post(body));
    await handler.close();
    const refused = await send(URL_OF(action), post(body));
    const message = 'This server is shutting down. Nothing is lost; send the same request again.';
    expect([refused.headers.get('retry-after'), await seen(refused)]).toEqual([
      '2',
      { status: 503, body: { error: { code: 'BUSY', message, retryAfterMs: 2000 } } },
    ]);
    expect(reported).toEqual([]);
  });
}

it('answers 503 to a push in whose midst the handler is closed', async () => {
  const { resolver, reached, open } = gatedResolver();
  const handler = new SyncHandler({ resolver });
  const { send } = endpointWith({ handler });
  const answering = send(URL_OF('push'), post(pushBody()));
  await reached;
  await handler.close();
  open();
  expect((await answering).status).toBe(503);
});

it('refuses an option that it does not know', () => {
  const misspelt = { realtme: true } as Partial<SyncEndpointOptions>;
  expect(() => endpointWith(misspelt)).toThrow(
    'createSyncEndpoint: realtme is unknown. Known: handler, resolver, authenticate, path, ',
  );
});

// As JavaScript passes them: the compiler lets none of these through.
it.each([
  [undefined, 'handler must be a SyncHandler'],
  [{}, 'handler must be a SyncHandler'],
  [{ handler: SyncHandler }, 'handler must be a SyncHandler'],
  [{ resolver: {} }, 'resolver must be an object with getRecord and applyMutation'],
  [{ authenticate: true }, 'authenticate must be a function from the request to { id } or null'],
  [{ path: /sync/ }, "path must be a text, e.g. '/api/sync'"],
  [{ onError: console }, 'onError must be a function'],
  [{ maxConcurrentRequests: Number.NaN }, 'maxConcurrentRequests must be a positive number'],
  [{ maxConcurrentRequests: 0 }, 'maxConcurrentRequests must be a positive number'],
  [{ realtime: 'no' }, 'realtime must be true or false'],
])('refuses an option of another kind, and says what to pass: %j', (options, problem) => {
  const handler = problem.startsWith('handler') ? {} : { handler: new SyncHandler() };
  const given = options && { ...handler, ...options };
  expect(() => createSyncEndpoint(given as never)).toThrow(new TypeError(`createSyncEndpoint: ${problem}.`));
});
