import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type RecordResolver, storeResolver } from './records/record-resolver.js';
import type { Authorize } from './rules/authorize.js';
import { brief, create, DAY_MS, errorOf, mutation, setUp } from './sync-handler.fixture.js';
import { SyncHandler } from './sync-handler.js';
import type { SyncHandlerOptions } from './sync-handler-options.js';

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
    const moved = { ...request(4), logId: 'log-b', mutations: [{ ...create({}), firstLogId: 'log-a' }] };
    expect(await errorOf(handler.handlePush(moved, storeResolver, { principal: { id: 'bob' } }))).toBe(
      '403 WRONG_PRINCIPAL',
    );
  });

  it.each([true, false])(
    'I3 keeps a record’s order when an earlier mutation fails retryably, transactional %s',
    async (transactional) => {
      let isDown = true;
      const resolver: RecordResolver = {
        transactional,
        getRecord: () => undefined,
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
    },
  );
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

  it('has one place for a record, however often a push writes it', async () => {
    const { push } = setUp();
    const { checkpoint } = await push({ mutations: [create({ n: 1 }), mutation({ data: { n: 2 } })] });
    expect(checkpoint).toBe('2.id-1.1.0.');
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

  it.each([true, false])(
    'executes nothing of a request whose checkpoint is of another epoch, transactional %s',
    async (transactional) => {
      const written: unknown[] = [];
      const resolver: RecordResolver = {
        transactional,
        getRecord: () => undefined,
        applyMutation: ({ recordId }) => void written.push(recordId),
      };
      const { push, pull, store } = setUp();
      const { checkpoint } = await push({ mutations: [create({ title: '0' })] }, resolver);
      await store.changeEpoch();
      const request = { lastCheckpoint: checkpoint, mutations: [create({ n: 1 }, { recordId: 't2' })] };
      expect(await push(request, resolver)).toMatchObject({
        results: [],
        reset: 'epoch',
        serverChanges: [{ recordId: 't1' }],
      });
      expect([(await pull()).serverChanges.length, written]).toEqual([1, ['t1']]);
    },
  );

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

  it.each(['hide', 'forget'] as const)(
    'is in no change, no result and no conflict where the rule says %s',
    async (permission) => {
      const authorize: Authorize = { read: ({ record }) => (record?.secret ? permission : 'allow') };
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
    },
  );

  it('goes from the device of the writer who may not read what they wrote, also when they ask again', async () => {
    const { push } = setUp({ authorize });
    const request = { mutations: [create({ title: 'x', secret: true })] };
    const answers = [await push(request), await push(request)];
    expect(answers.map(({ results }) => results[0])).toMatchObject([
      { status: 'applied', serverVersion: 1, record: null },
      { status: 'applied', serverVersion: 1, record: null, duplicate: true },
    ]);
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

it('answers with all that protocol 2 tells', async () => {
  const { handler, pull } = setUp();
  const { maxBodyBytes, maxMutations } = handler.limits;
  expect(await pull()).toEqual({
    protocol: 2,
    results: [],
    serverChanges: [],
    checkpoint: '2.id-1.0.0.',
    hasMore: false,
    serverTime: '2026-03-01T12:00:00.000Z',
    limits: { maxBodyBytes, maxMutations },
  });
});

it('refuses an option that it does not know: a misspelt `authorize` would let everybody in', () => {
  const misspelt = { authorise: { write: () => false } } as SyncHandlerOptions;
  expect(() => new SyncHandler(misspelt)).toThrow(
    'SyncHandler: authorise is unknown. Known: store, resolver, objects, ',
  );
});

const anything = (options: object) => options as SyncHandlerOptions;

it.each([
  [anything({ authorize: { reads: () => 'hide' } }), 'authorize.reads is unknown. Known: read, write, scope.'],
  [anything({ authorize: () => false }), 'authorize has none of the rules read, write and scope.'],
  [anything({ conflictFields: { task: ['title'] } }), 'conflictFields must be a Map, e.g. new Map('],
  [anything({ conflictFields: new Map([['task', 'title']]) }), 'conflictFields must list field names for task.'],
  [anything({ conflictFields: new Map([['task', ['title', 7]]]) }), 'conflictFields must list field names for task.'],
])('refuses what would pass for no rule at all: %j', (options, message) => {
  expect(() => new SyncHandler(options)).toThrow(message);
});

// As JavaScript passes them: the compiler lets none of these through.
it.each([
  [{ store: {} }, 'SyncHandler: store must be a store, e.g. new SqliteStore(database).'],
  [{ store: 'sync.db' }, 'SyncHandler: store must be a store, e.g. new SqliteStore(database).'],
  [{ resolver: { applyMutation() {} } }, 'SyncHandler: resolver must be an object with getRecord and applyMutation.'],
  [{ onWarning: console }, 'SyncHandler: onWarning must be a function.'],
  [{ strategy: 'lww' }, '"lww" is not a conflict strategy. Use last-write-wins, crdt, manual or a function.'],
  [{ limits: { maxMutations: 0 } }, 'limits.maxMutations must be a positive integer.'],
  [{ limits: { maxMutations: 1.5 } }, 'limits.maxMutations must be a positive integer.'],
  [{ objects: [] }, 'objects must be a Map or an object of sync blocks by name: { task: { enabled: true } }.'],
  [{ objects: 'task' }, 'objects must be a Map or an object of sync blocks by name: { task: { enabled: true } }.'],
])('refuses an option of another kind, and says what to pass: %j', (options, message) => {
  expect(() => new SyncHandler(options as never)).toThrow(new TypeError(message));
});

it('takes for left out what is undefined or null', async () => {
  const handler = new SyncHandler({ store: null, resolver: undefined, objects: undefined, onWarning: null } as object);
  const change = { objectName: 'task', recordId: 't1', operation: 'create', data: {} } as const;
  expect(await handler.recordChange(change)).toEqual({ serverVersion: 1 });
});

it('takes rules of a class that keeps more beside them', () => {
  class Rules {
    readonly owner = 'ada';
    write = () => true;
  }
  expect(() => new SyncHandler({ authorize: new Rules() })).not.toThrow();
});

it('prints what made a write fail where nobody asked to be told', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  onTestFinished(() => warn.mockRestore());
  const cause = new TypeError('table is undefined');
  const { push } = setUp({ onWarning: undefined });
  const failing = { ...storeResolver, applyMutation: () => Promise.reject(cause) };
  const { results } = await push({ mutations: [create({ title: 'A' })] }, failing);
  expect(results).toMatchObject([{ code: 'INTERNAL' }]);
  const [{ mutationId } = { mutationId: '' }] = results;
  expect(warn.mock.calls).toEqual([
    ['@objectql/protocol-sync:', `WRITE_FAILED: Mutation ${mutationId} could not be applied.`, cause],
  ]);
});
