import type { MutationLogEntry, SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { describe, expect, it } from 'vitest';
import type { Authorize } from './authorize.js';
import { type RecordResolver, RejectionError, storeResolver } from './record-resolver.js';
import { MemoryStore } from './storage/memory-store.js';
import { SyncHandler, type SyncHandlerOptions, type SyncWarning } from './sync-handler.js';
import { SyncRequestError } from './sync-request-error.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** A server whose clock and timers the test moves. */
function setUp(options: SyncHandlerOptions = {}) {
  let now = Date.parse('2026-03-01T12:00:00.000Z');
  let ids = 0;
  const timers = new Set<() => void>();
  const platform = {
    now: () => now,
    randomId: () => `id-${++ids}`,
    setTimer(work: () => void) {
      timers.add(work);
      return () => timers.delete(work);
    },
  };
  const warnings: SyncWarning[] = [];
  const store = new MemoryStore({ platform });
  const handler = new SyncHandler({ store, platform, onWarning: (warning) => warnings.push(warning), ...options });
  const push = (request: Partial<SyncPushRequest>, resolver?: RecordResolver) =>
    handler.handlePush(
      { clientId: 'a', logId: 'log-a', protocol: 2, lastCheckpoint: null, mutations: [], ...request },
      resolver,
    );
  const pull = (lastCheckpoint: string | null = null, more: object = {}) =>
    handler.handlePull({ clientId: 'reader', protocol: 2, lastCheckpoint, ...more });
  return {
    handler,
    store,
    push,
    pull,
    warnings,
    advance: (ms: number) => (now += ms),
    runTimers: () => [...timers].forEach((work) => void work()),
  };
}

let made = 0;
function mutation(parts: Partial<MutationLogEntry> = {}): MutationLogEntry {
  made += 1;
  return {
    id: `m${made}`,
    objectName: 'task',
    recordId: 't1',
    operation: 'update',
    timestamp: '2026-03-01T11:00:00.000Z',
    clientId: 'a',
    sequence: made,
    baseVersion: null,
    ...parts,
  };
}
const create = (data: MutationLogEntry['data'], parts: Partial<MutationLogEntry> = {}) =>
  mutation({ operation: 'create', ...(data ? { data } : {}), ...parts });

const brief = (results: readonly SyncMutationResult[]) =>
  results.map((result) => (result.status === 'rejected' ? result.code : result.status));

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => (error instanceof SyncRequestError ? `${error.status} ${error.code}` : error),
  );
}

describe('one outcome for each mutation', () => {
  it('I2 repeats a conflict with the record as it is now, and never decides it again', async () => {
    const { push } = setUp({ strategy: 'manual' });
    await push({ mutations: [create({ title: '0' }), mutation({ data: { title: 'theirs' } })] });
    const mine = mutation({ clientId: 'b', baseVersion: 1, data: { title: 'mine' } });
    const asB = { clientId: 'b', logId: 'log-b' };
    const first = await push({ ...asB, mutations: [mine] });
    await push({ mutations: [mutation({ data: { title: 'mine' }, baseVersion: 2 })] });
    const again = await push({ ...asB, mutations: [mine] });
    expect(first.results).toMatchObject([{ status: 'conflict', conflict: { serverRecord: { title: 'theirs' } } }]);
    expect(again.results).toMatchObject([
      { status: 'conflict', duplicate: true, conflict: { serverRecord: { title: 'mine' }, serverVersion: 3 } },
    ]);
  });

  it('I2 repeats a refusal although it would be allowed by now', async () => {
    let isAllowed = false;
    const { push } = setUp({ authorize: { write: () => isAllowed } });
    const request = { mutations: [create({ title: '0' })] };
    expect(brief((await push(request)).results)).toEqual(['FORBIDDEN']);
    isAllowed = true;
    expect((await push(request)).results).toMatchObject([{ code: 'FORBIDDEN', duplicate: true }]);
  });

  it('refuses an id that was used for another content', async () => {
    const { push } = setUp();
    const first = create({ title: '0' });
    await push({ mutations: [first] });
    expect(brief((await push({ mutations: [{ ...first, data: { title: '1' } }] })).results)).toEqual(['ID_REUSED']);
  });

  it('knows a mutation again under another log, sequence and base', async () => {
    const { push } = setUp();
    const first = create({ title: '0' });
    await push({ mutations: [first] });
    const renumbered = { ...first, sequence: 99, baseVersion: 0 };
    expect((await push({ logId: 'log-new', mutations: [renumbered] })).results).toMatchObject([
      { status: 'applied', serverVersion: 1, duplicate: true },
    ]);
  });

  it('answers a mutation that stands twice in one request twice, and applies it once', async () => {
    const { push, pull } = setUp();
    const twice = create({ title: '0' });
    expect(brief((await push({ mutations: [twice, twice] })).results)).toEqual(['applied', 'applied']);
    expect((await pull()).serverChanges).toMatchObject([{ serverVersion: 1 }]);
  });

  it('refuses what may have been applied before the ledger forgot it', async () => {
    const { push, handler, advance } = setUp();
    const old = create({ title: '0' });
    await push({ mutations: [old] });
    advance(31 * DAY_MS);
    await handler.prune();
    expect(brief((await push({ mutations: [old] })).results)).toEqual(['OUTCOME_EXPIRED']);
  });
});

describe('a log', () => {
  it('is forked when one of its sequences comes under another id, and then nothing is executed', async () => {
    const { push, pull } = setUp();
    const first = create({ title: '0' });
    await push({ mutations: [first] });
    const clone = [
      create({ n: 1 }, { recordId: 't2', sequence: 1000 }),
      create({ n: 2 }, { recordId: 't3', sequence: first.sequence }),
    ];
    expect(await errorOf(push({ mutations: clone }))).toBe('409 LOG_FORKED');
    expect((await pull()).serverChanges).toHaveLength(1);
  });

  it('belongs to the principal that first used it', async () => {
    const { handler } = setUp();
    const request = (sequence: number) => ({
      clientId: 'a',
      logId: 'log-a',
      lastCheckpoint: null,
      mutations: [create({ title: '0' }, { recordId: `r${sequence}`, sequence })],
    });
    await handler.handlePush(request(1), storeResolver, { principal: { id: 'ada' } });
    expect(await errorOf(handler.handlePush(request(2), storeResolver, { principal: { id: 'bob' } }))).toBe(
      '403 WRONG_PRINCIPAL',
    );
    expect(await errorOf(handler.handlePush(request(3)))).toBe('403 WRONG_PRINCIPAL');
  });

  it('I3 keeps a record’s order when an earlier mutation fails retryably', async () => {
    let isDown = true;
    const resolver: RecordResolver = {
      ...storeResolver,
      applyMutation(applied) {
        if (isDown && applied.data?.title === 'first') throw new Error('down');
      },
    };
    const { push, pull, warnings } = setUp();
    const request = {
      mutations: [
        create({ title: 'first' }),
        mutation({ data: { title: 'second' } }),
        create({ n: 1 }, { recordId: 't2' }),
      ],
    };
    const failed = await push(request, resolver);
    expect(brief(failed.results)).toEqual(['INTERNAL', 'BUSY', 'applied']);
    expect(failed.results).toMatchObject([{ retryable: true }, { retryable: true }, {}]);
    expect(warnings).toMatchObject([{ code: 'WRITE_FAILED' }]);
    isDown = false;
    expect(brief((await push(request, resolver)).results)).toEqual(['applied', 'applied', 'applied']);
    const changes = (await pull()).serverChanges;
    expect(changes.find(({ recordId }) => recordId === 't1')).toMatchObject({
      serverVersion: 2,
      data: { title: 'second' },
    });
  });
});

describe('the feed', () => {
  it('I6 hands out pages whose checkpoint is the last record scanned, until nothing is left', async () => {
    const { push, pull } = setUp({ limits: { maxPageRecords: 2 } });
    await push({ mutations: [1, 2, 3, 4, 5].map((n) => create({ n }, { recordId: n })) });
    const pages: unknown[] = [];
    let checkpoint: string | null = null;
    for (let hasMore = true; hasMore; ) {
      const page = await pull(checkpoint);
      pages.push(page.serverChanges.map(({ recordId }) => recordId));
      checkpoint = page.checkpoint;
      hasMore = page.hasMore ?? false;
    }
    expect(pages).toEqual([[1, 2], [3, 4], [5]]);
    expect((await pull(checkpoint)).serverChanges).toEqual([]);
  });

  it('cuts a page at its size and always sends one record', async () => {
    const { push, pull } = setUp({ limits: { maxPageBytes: 2000 } });
    const text = 'x'.repeat(5000);
    await push({ mutations: [1, 2].map((n) => create({ text }, { recordId: n })) });
    const page = await pull();
    expect([page.serverChanges.length, page.hasMore]).toEqual([1, true]);
  });

  it('does not echo what a client wrote itself, and shows what the server made of it', async () => {
    const { push, pull } = setUp();
    const { checkpoint } = await push({ mutations: [create({ title: '0' })] });
    const b = await pull();
    await push({
      clientId: 'b',
      logId: 'log-b',
      lastCheckpoint: b.checkpoint,
      mutations: [mutation({ clientId: 'b', baseVersion: 1, data: { status: 'done' } })],
    });
    const answer = await push({
      lastCheckpoint: checkpoint,
      mutations: [mutation({ baseVersion: 1, data: { title: '1' } })],
    });
    expect(answer).toMatchObject({
      results: [{ serverVersion: 3, record: { title: '1', status: 'done' } }],
      serverChanges: [],
    });
  });

  it('shows the whole record to a client that updates one it never received', async () => {
    const { push } = setUp();
    await push({ mutations: [create({ title: '0', status: 'new' })] });
    const fresh = {
      clientId: 'b',
      logId: 'log-b',
      mutations: [mutation({ clientId: 'b', baseVersion: 1, data: { status: 'done' } })],
    };
    expect((await push(fresh)).results).toMatchObject([{ record: { title: '0', status: 'done' } }]);
  });

  it('I9 resets a checkpoint below the floor, and never the walk that follows', async () => {
    const { push, pull, handler, advance } = setUp({ limits: { maxPageRecords: 2 } });
    await push({ mutations: [1, 2, 3, 4, 5, 6].map((n) => create({ n }, { recordId: n })) });
    const early = (await pull()).checkpoint;
    await push({ mutations: [mutation({ operation: 'delete', recordId: 6 })] });
    advance(31 * DAY_MS);
    await handler.prune();
    const reset = await pull(early);
    expect(reset).toMatchObject({ reset: 'expired', serverChanges: [{ recordId: 1 }, { recordId: 2 }], hasMore: true });
    const second = await pull(reset.checkpoint);
    expect(second).toMatchObject({ serverChanges: [{ recordId: 3 }, { recordId: 4 }], hasMore: true });
    expect(second.reset).toBeUndefined();
    const third = await pull(second.checkpoint);
    expect(third).toMatchObject({ serverChanges: [{ recordId: 5 }], hasMore: false });
  });

  it('executes nothing of a request whose checkpoint is of another epoch', async () => {
    const { push, pull, store } = setUp();
    const { checkpoint } = await push({ mutations: [create({ title: '0' })] });
    await store.changeEpoch();
    const answer = await push({ lastCheckpoint: checkpoint, mutations: [create({ n: 1 }, { recordId: 't2' })] });
    expect(answer).toMatchObject({ results: [], reset: 'epoch', serverChanges: [{ recordId: 't1' }] });
    expect((await pull()).serverChanges).toHaveLength(1);
  });

  it('begins anew for other objects and other rights', async () => {
    let team = 'red';
    const { push, pull } = setUp({ authorize: { scope: () => team } });
    await push({ mutations: [create({ n: 1 }), create({ n: 2 }, { objectName: 'note' })] });
    const all = await pull();
    const notes = await pull(all.checkpoint, { objects: ['note'] });
    expect(notes).toMatchObject({ reset: 'scope', serverChanges: [{ objectName: 'note' }] });
    expect(await pull(notes.checkpoint, { objects: ['note'] })).not.toHaveProperty('reset');
    team = 'blue';
    expect(await pull(notes.checkpoint, { objects: ['note'] })).toMatchObject({ reset: 'scope' });
  });

  it('takes writes that come past sync, and nothing for what changed nothing', async () => {
    const { handler, pull, push } = setUp({ strategy: 'manual' });
    const versions = [
      await handler.recordChange({
        objectName: 'task',
        recordId: 't1',
        operation: 'create',
        data: { title: 'by a job' },
      }),
      await handler.recordChange({
        objectName: 'task',
        recordId: 't1',
        operation: 'update',
        data: { title: 'by a job' },
      }),
      await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data: { title: 'again' } }),
    ];
    expect(versions).toEqual([{ serverVersion: 1 }, { serverVersion: 1 }, { serverVersion: 2 }]);
    expect((await pull()).serverChanges).toMatchObject([{ serverVersion: 2, data: { title: 'again' } }]);
    expect(brief((await push({ mutations: [mutation({ baseVersion: 1, data: { title: 'mine' } })] })).results)).toEqual(
      ['conflict'],
    );
  });

  it('I5 begins a re-created record above every version that was ever dropped', async () => {
    const { push, handler, advance } = setUp();
    await push({ mutations: [create({ n: 1 }), mutation({ data: { n: 2 } }), mutation({ operation: 'delete' })] });
    advance(31 * DAY_MS);
    await handler.prune();
    expect((await push({ mutations: [create({ n: 3 })] })).results).toMatchObject([{ serverVersion: 4 }]);
  });
});

describe('I12 what a caller may not read', () => {
  const authorize: Authorize = { read: ({ record }) => (record?.secret ? 'hide' : 'allow') };

  it('is in no change, no result and no conflict', async () => {
    const { handler, push, pull } = setUp({ authorize, strategy: 'manual' });
    await handler.recordChange({
      objectName: 'task',
      recordId: 't1',
      operation: 'create',
      data: { title: 'x', secret: true },
    });
    expect((await pull()).serverChanges).toEqual([]);
    const attempts = [
      mutation({ data: { title: 'mine' } }),
      mutation({ operation: 'delete' }),
      mutation({ data: { title: 'mine' }, recordId: 'no-such' }),
      create({ title: 'mine' }),
    ];
    const { results } = await push({ mutations: attempts });
    expect(brief(results)).toEqual(['NOT_FOUND', 'NOT_FOUND', 'NOT_FOUND', 'FORBIDDEN']);
    expect(JSON.stringify(results)).not.toContain('secret');
  });

  it('is forgotten by devices that had it, where the application says so', async () => {
    const { handler, pull } = setUp({ authorize: { read: ({ record }) => (record?.secret ? 'forget' : 'allow') } });
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data: { title: 'x' } });
    const { checkpoint } = await pull();
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data: { secret: true } });
    const [change] = (await pull(checkpoint)).serverChanges;
    expect(change).toMatchObject({ operation: 'delete', recordId: 't1' });
    expect(change).not.toHaveProperty('data');
    expect((await pull()).serverChanges).toEqual([]);
  });
});

describe('a resolver', () => {
  it('refuses for good with a code of its own', async () => {
    const { push } = setUp();
    const resolver: RecordResolver = {
      ...storeResolver,
      applyMutation() {
        throw new RejectionError('VALIDATION', 'A task needs a title.');
      },
    };
    expect((await push({ mutations: [create({})] }, resolver)).results).toMatchObject([
      { status: 'rejected', code: 'VALIDATION', reason: 'A task needs a title.' },
    ]);
  });

  it('that hangs is given up, and its mutation is kept for another try', async () => {
    const { push, pull, runTimers } = setUp();
    let onCalled = () => {};
    const called = new Promise<void>((resolve) => {
      onCalled = resolve;
    });
    const resolver: RecordResolver = {
      ...storeResolver,
      applyMutation: () => {
        onCalled();
        return new Promise(() => {});
      },
    };
    const answer = push({ mutations: [create({ n: 1 })] }, resolver);
    await called;
    runTimers();
    expect((await answer).results).toMatchObject([{ code: 'INTERNAL', retryable: true }]);
    expect((await pull()).serverChanges).toEqual([]);
  });

  for (const [lie, value] of [
    ['a number', 7],
    ['a list', []],
    ['a record no JSON can carry', { deep: nested(50) }],
  ] as const) {
    it(`that returns ${lie} is not believed`, async () => {
      const { push, pull } = setUp();
      const resolver = { ...storeResolver, applyMutation: () => value } as unknown as RecordResolver;
      expect(brief((await push({ mutations: [create({ n: 1 })] }, resolver)).results)).toEqual(['INTERNAL']);
      expect((await pull()).serverChanges).toEqual([]);
    });
  }

  it('that changes what it stores is what everybody receives, the writer included', async () => {
    const { push, pull } = setUp();
    const resolver: RecordResolver = {
      ...storeResolver,
      applyMutation: (applied) => ({ ...applied.data, slug: 'a-b', _id: 't1', _version: 1 }),
    };
    const { results } = await push({ mutations: [create({ title: 'A B' })] }, resolver);
    expect(results).toMatchObject([{ record: { title: 'A B', slug: 'a-b' } }]);
    expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'A B', slug: 'a-b' } }]);
  });
});

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { in: nested(levels - 1) };
}

describe('a resolver with getRecord and applyMutation alone', () => {
  function table() {
    const rows = new Map<unknown, Record<string, unknown>>([['old', { title: 'older than sync', _id: 'old' }]]);
    const calls: string[] = [];
    const resolver: RecordResolver = {
      getRecord: async (_objectName, recordId) => rows.get(recordId),
      async applyMutation(applied, version) {
        calls.push(`${applied.operation} ${applied.recordId} v${version}`);
        if (applied.operation === 'delete') rows.delete(applied.recordId);
        else rows.set(applied.recordId, { ...rows.get(applied.recordId), ...applied.data });
      },
    };
    return { rows, calls, resolver };
  }

  it('is given the fields to write and the version they get', async () => {
    const { push } = setUp();
    const { rows, calls, resolver } = table();
    const { results } = await push(
      { mutations: [create({ n: 1 }), mutation({ data: { n: 2 } }), mutation({ operation: 'delete' })] },
      resolver,
    );
    expect(brief(results)).toEqual(['applied', 'applied', 'applied']);
    expect(calls).toEqual(['create t1 v1', 'update t1 v2', 'delete t1 v3']);
    expect(rows.has('t1')).toBe(false);
  });

  it('brings records into the feed that are older than sync', async () => {
    const { push, pull } = setUp({ strategy: 'manual' });
    const { resolver } = table();
    const { results } = await push({ mutations: [mutation({ recordId: 'old', data: { status: 'done' } })] }, resolver);
    expect(results).toMatchObject([
      { status: 'applied', serverVersion: 2, record: { title: 'older than sync', status: 'done' } },
    ]);
    expect((await pull()).serverChanges).toMatchObject([
      { recordId: 'old', data: { title: 'older than sync', status: 'done' } },
    ]);
  });

  for (const step of ['after the announcement', 'after the write'] as const) {
    it(`I11 recovers from a crash ${step}`, async () => {
      const { store, push, pull, advance } = setUp();
      const { rows, calls, resolver } = table();
      const dying: RecordResolver = {
        ...resolver,
        async applyMutation(applied, version, context) {
          if (step === 'after the write') await resolver.applyMutation(applied, version, context);
          // The process is gone: no confirmation is ever written.
          const { transaction } = store;
          store.transaction = async () => {
            store.transaction = transaction;
            throw new Error('the process died');
          };
        },
      };
      const request = { mutations: [create({ n: 1 })] };
      expect(brief((await push(request, dying)).results)).toEqual(['INTERNAL']);
      expect(brief((await push(request, resolver)).results)).toEqual(['BUSY']);
      advance(60_000);
      expect(brief((await push(request, resolver)).results)).toEqual(['applied']);
      expect(rows.get('t1')).toEqual({ n: 1 });
      expect(calls).toEqual(['create t1 v1']);
      expect((await pull()).serverChanges).toMatchObject([{ recordId: 't1', serverVersion: 1 }]);
    });
  }
});

describe('a protocol-1 peer', () => {
  const published = { clientId: 'a', lastCheckpoint: null };

  it('is served with the published shapes alone', async () => {
    const { handler } = setUp();
    const first = create({ title: '0' });
    const answer = await handler.handlePush({ ...published, mutations: [first] });
    expect(answer).toMatchObject({
      results: [{ status: 'applied', serverVersion: 1 }],
      serverChanges: [],
      checkpoint: expect.any(String),
    });
    expect((await handler.handlePush({ ...published, mutations: [first] })).results).toMatchObject([
      { duplicate: true },
    ]);
  });

  it('receives among the changes what it could not compute', async () => {
    const { handler } = setUp();
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data: { title: '0' } });
    const answer = await handler.handlePush({
      ...published,
      mutations: [mutation({ baseVersion: 1, data: { n: 1 } })],
    });
    expect(answer.serverChanges).toMatchObject([{ data: { title: '0', n: 1 } }]);
  });

  it('never conflicts with its own chain', async () => {
    const { handler } = setUp({ strategy: 'manual' });
    const chain = [create({ n: 1 }), mutation({ data: { n: 2 } }), mutation({ data: { n: 3 } })];
    expect(brief((await handler.handlePush({ ...published, mutations: chain })).results)).toEqual([
      'applied',
      'applied',
      'applied',
    ]);
  });
});

describe('bad input', () => {
  const envelope = { clientId: 'a', logId: 'log-a', protocol: 2, lastCheckpoint: null, mutations: [] };
  for (const [what, body] of [
    ['null', null],
    ['a list', []],
    ['a text', 'x'],
    ['no clientId', { ...envelope, clientId: undefined }],
    ['a clientId that is a number', { ...envelope, clientId: 7 }],
    ['an empty clientId', { ...envelope, clientId: '' }],
    ['mutations that are no list', { ...envelope, mutations: {} }],
    ['an extra key', { ...envelope, extra: 1 }],
    ['protocol 3', { ...envelope, protocol: 3 }],
    ['a sentAt that is no time', { ...envelope, sentAt: 'yesterday' }],
    ['a reserved logId', { ...envelope, logId: 'server' }],
  ] as const) {
    it(`refuses ${what} as malformed`, async () => {
      expect(await errorOf(setUp().handler.handlePush(body))).toBe('400 MALFORMED');
    });
  }

  it('refuses a checkpoint that is garbage, and walks from the start for one of another server or ahead', async () => {
    const { pull, warnings } = setUp();
    expect(await errorOf(pull('garbage'))).toBe('400 INVALID_CHECKPOINT');
    const other = (await setUp().pull()).checkpoint.replace('id-1', 'id-of-another');
    expect(await pull(other)).toMatchObject({ reset: 'epoch' });
    const ahead = (await pull()).checkpoint.replace('.0.0.', '.99.0.');
    expect(await pull(ahead)).toMatchObject({ reset: 'epoch' });
    expect(warnings).toMatchObject([{ code: 'CHECKPOINT_AHEAD' }, { code: 'CHECKPOINT_AHEAD' }]);
  });

  for (const [what, parts] of [
    ['an empty id', { id: '' }],
    ['a huge id', { id: 'x'.repeat(129) }],
    ['an id with NUL', { id: 'a\u0000b' }],
    ['an unknown operation', { operation: 'upsert' }],
    ['a negative sequence', { sequence: -1 }],
    ['a fractional sequence', { sequence: 1.5 }],
    ['an unsafe sequence', { sequence: 2 ** 53 }],
    ['a timestamp that is no date', { timestamp: 'soon' }],
    ['another clientId than the request', { clientId: 'someone-else' }],
    ['an extra key', { extra: true }],
    ['data that is a list', { data: [] }],
    ['a field named __proto__', { data: JSON.parse('{"__proto__": {"x": 1}}') }],
    ['data that is too deep', { data: { deep: nested(40) } }],
    ['too many fields', { data: Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`f${n}`, n])) }],
    ['half of a surrogate pair', { data: { text: '\ud800' } }],
    ['a recordId that is an object', { recordId: {} }],
    ['a fractional recordId', { recordId: 1.5 }],
    ['a delete with data', { operation: 'delete', data: {} }],
    ['a version from the future', { operation: 'update', baseVersion: 7, recordId: 'good' }],
  ] as const) {
    it(`rejects a mutation with ${what} alone, and takes its neighbours`, async () => {
      const { handler } = setUp();
      const bad = { ...create({ n: 1 }, { recordId: 'bad' }), ...(parts as object) };
      const { results } = await handler.handlePush({
        ...envelope,
        mutations: [create({ n: 1 }, { recordId: 'good' }), bad, null, create({ n: 2 }, { recordId: 'good-too' })],
      });
      expect(brief(results)).toEqual(['applied', 'INVALID', 'INVALID', 'applied']);
    });
  }

  it('takes unusual names: a number and its text are two records, constructor is a field, an object and a record', async () => {
    const { push, pull } = setUp();
    const refs = [
      { recordId: 1 },
      { recordId: '1' },
      { recordId: 'a:b' },
      { recordId: '__proto__' },
      { objectName: 'constructor', recordId: 'é"]' },
      { objectName: '__proto__', recordId: 'x' },
    ];
    const { results } = await push({ mutations: refs.map((ref) => create({ constructor: 'c', toString: 't' }, ref)) });
    expect(brief(results)).toEqual(refs.map(() => 'applied'));
    expect((await pull()).serverChanges.map(({ objectName, recordId }) => ({ objectName, recordId }))).toEqual(
      refs.map((ref) => ({ objectName: 'task', ...ref })),
    );
  });

  it('takes a year 9999 for now', async () => {
    const { push, pull, advance } = setUp({ strategy: 'last-write-wins' });
    await push({ mutations: [create({ title: '0' }, { timestamp: '9999-12-31T23:59:59.999Z' })] });
    advance(1000);
    const later = mutation({ clientId: 'b', data: { title: 'later' }, timestamp: '9999-12-31T23:59:59.999Z' });
    await push({ clientId: 'b', logId: 'log-b', mutations: [later] });
    expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'later' } }]);
  });

  it('rejects the second of two mutations with one sequence', async () => {
    const { push } = setUp();
    const [one, two] = [create({ n: 1 }, { sequence: 500 }), create({ n: 2 }, { recordId: 't2', sequence: 500 })];
    expect(brief((await push({ mutations: [one, two] })).results)).toEqual(['applied', 'INVALID']);
  });

  it('takes as many mutations as its limit says, and asks for the rest again', async () => {
    const { push } = setUp({ limits: { maxMutations: 2 } });
    const { results, limits } = await push({ mutations: [1, 2, 3].map((n) => create({ n }, { recordId: n })) });
    expect(brief(results)).toEqual(['applied', 'applied', 'BATCH_TOO_LARGE']);
    expect(limits?.maxMutations).toBe(2);
  });

  it('rejects a record that is too large, also when only the merge makes it so', async () => {
    const { push } = setUp({ limits: { maxRecordBytes: 100 } });
    const large = create({ text: 'x'.repeat(200) }, { recordId: 'large' });
    const grown = [create({ a: 'x'.repeat(60) }), mutation({ data: { b: 'x'.repeat(60) } })];
    expect(brief((await push({ mutations: [large, ...grown] })).results)).toEqual([
      'TOO_LARGE',
      'applied',
      'TOO_LARGE',
    ]);
  });

  it('serves no object that metadata does not enable', async () => {
    const { push, pull } = setUp({
      objects: new Map([
        ['task', { enabled: true }],
        ['note', { enabled: false }],
      ]),
    });
    const { results } = await push({
      mutations: [create({ n: 1 }), create({ n: 1 }, { objectName: 'note' }), create({ n: 1 }, { objectName: 'x' })],
    });
    expect(brief(results)).toEqual(['applied', 'UNKNOWN_OBJECT', 'UNKNOWN_OBJECT']);
    expect((await pull()).serverChanges).toHaveLength(1);
  });

  it('refuses options that are unknown or out of range', () => {
    const wrong: readonly SyncHandlerOptions[] = [
      { limits: { maxMutation: 1 } as never },
      { limits: { maxMutations: 0 } },
      { changeLogRetentionDays: 0 },
      { strategy: 'latest' as never },
    ];
    for (const options of wrong) expect(() => new SyncHandler(options)).toThrow(TypeError);
  });
});
