import { MAX_FIELDS, type SyncConfig } from '@objectql/sync-types';
import { syncPushResponseSchema } from '@objectql/sync-types/schema';
import { describe, expect, it } from 'vitest';
import { brief, create, errorOf, mutation, nested, setUp } from './sync-handler.fixture.js';
import { SyncHandler } from './sync-handler.js';
import type { SyncHandlerOptions } from './sync-handler-options.js';

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
    ['a checkpoint that only has a length', { ...envelope, lastCheckpoint: { length: { toString: 1 } } }],
    ['objects that only have a length', { ...envelope, objects: { length: { toString: 1 } } }],
    ['the logId of writes past sync', { ...envelope, logId: 'server' }],
    ['a logId like the lineage of a protocol-1 client', { ...envelope, logId: 'client:a' }],
  ] as const) {
    it(`refuses ${what} as malformed`, async () => {
      expect(await errorOf(setUp().handler.handlePush(body))).toBe('400 MALFORMED');
    });
  }

  // Those who leave types behind: a store that keeps ids as text would read another one back, and take its owner for a stranger.
  it.each([{ id: 7 }, { id: '' }, { sub: 'ada' }, 'ada'])(
    'refuses at once a principal whose id is no text: %j',
    async (principal) => {
      const { handler } = setUp();
      const context = { principal: principal as { id: string } };
      const asked = [
        handler.handlePush(envelope, undefined, context),
        handler.handlePull({ clientId: 'a', lastCheckpoint: null }, context),
      ];
      expect(
        (await Promise.allSettled(asked)).map((outcome) => outcome.status === 'rejected' && outcome.reason),
      ).toEqual(
        asked.map(() => new TypeError("The principal's id must be a text that is not empty, e.g. String(user.id).")),
      );
    },
  );

  it('says what is wrong with a request, and where', async () => {
    const reasonOf = (body: unknown) =>
      setUp()
        .handler.handlePush(body)
        .then(undefined, ({ message }: Error) => message);
    expect(await reasonOf({ ...envelope, clientId: 7 })).toMatch(/^The request is malformed: clientId: Invalid/);
    expect(await reasonOf({ ...envelope, extra: 1 })).toMatch(/^The request is malformed: Unrecognized key: "extra"/);
    expect(await reasonOf({ protocol: 3, log: {} })).toBe(
      'The client speaks protocol 3, this server only 1 and 2. Update the server.',
    );
  });

  it('says what is wrong with a mutation, and answers it under its id where it has one', async () => {
    const bad = [{ id: 7 }, { ...create({}), id: 'bad', extra: 1 }, { ...create({}), id: 'worse', data: { a: [1n] } }];
    const { results } = await setUp().handler.handlePush({ ...envelope, mutations: bad });
    const [nameless, ...named] = results;
    expect(nameless).not.toHaveProperty('mutationId');
    expect(named).toMatchObject([
      { mutationId: 'bad', reason: expect.stringMatching(/^Unrecognized key: "extra"/) },
      { mutationId: 'worse', reason: expect.stringMatching(/^data: /) },
    ]);
  });

  it('refuses a write past sync that is malformed or too large, and takes none of it', async () => {
    const { handler, pull } = setUp({ limits: { maxRecordBytes: 20_000 } });
    const task = { objectName: 'task', recordId: 't1', operation: 'create' as const };
    const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${n}`, n]));
    const record = (parts: object) => handler.recordChange({ ...task, ...parts });
    await expect(record({ operation: 'upsert' })).rejects.toThrow(/^recordChange: operation /);
    await expect(record({ data: { text: 'x'.repeat(20_000) } })).rejects.toThrow(RangeError);
    expect((await pull()).serverChanges).toEqual([]);
    expect(await record({ data: fields(MAX_FIELDS) })).toEqual({ serverVersion: 1 });
    await expect(record({ operation: 'update', data: { more: 1 } })).rejects.toThrow(RangeError);
    expect(await record({ operation: 'update', data: { f1: 0 } })).toEqual({ serverVersion: 2 });
  });

  for (const [what, found] of [
    ['a text', 'x'],
    ['an object', {}],
  ] as const) {
    it(`serves everybody while ${what} stands on Object.prototype`, async () => {
      const { handler } = setUp();
      // As a library with a flaw, or an attack on one, leaves it behind.
      Object.defineProperty(Object.prototype, 'left', {
        value: found,
        enumerable: true,
        configurable: true,
        writable: true,
      });
      try {
        const answer = await handler.handlePush({ ...envelope, mutations: [create({ part: { n: 1 } })] });
        expect(brief(answer.results)).toEqual(['applied']);
      } finally {
        Reflect.deleteProperty(Object.prototype, 'left');
      }
    });
  }

  it('refuses a checkpoint that is garbage, and walks from the start for one of another server or ahead', async () => {
    const { pull, warnings } = setUp();
    const texts = [
      'garbage',
      '2.e.1.0',
      '1.e.1.0.',
      'x2.e.1.0.',
      '2.e.1.0.!',
      `2.e.${'9'.repeat(16)}.0.`,
      `2.e.1.${'9'.repeat(400)}.`,
    ];
    for (const garbage of texts) expect(await errorOf(pull(garbage))).toBe('400 INVALID_CHECKPOINT');
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

  it('rejects a mutation of another clientId where no log says whose it is', async () => {
    const mutations = [create({ n: 1 }), create({ n: 2 }, { clientId: 'someone-else' })];
    const pushed = async (of: object) => brief((await setUp().handler.handlePush({ ...of, mutations })).results);
    expect(await pushed({ clientId: 'a', lastCheckpoint: null })).toEqual(['applied', 'INVALID']);
    expect(await pushed(envelope)).toEqual(['applied', 'applied']);
  });

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
    const later = mutation({ clientId: 'b', data: { title: 'later' }, timestamp: '2026-03-01T12:00:01.000Z' });
    await push({ clientId: 'b', logId: 'log-b', mutations: [later] });
    expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'later' } }]);
  });

  it('I10 takes a write for as old as it was when it was sent, by whatever clock', async () => {
    const { push, pull } = setUp({ strategy: 'last-write-wins' });
    await push({ mutations: [create({ title: '0' }, { timestamp: '2026-03-01T08:00:00.000Z' })] });
    const theirs = mutation({ baseVersion: 1, data: { title: 'theirs' }, timestamp: '2026-03-01T10:30:00.000Z' });
    await push({ mutations: [theirs] });
    // An hour old when it was sent, by a clock that is two hours slow.
    const mine = mutation({ baseVersion: 1, data: { title: 'mine' }, timestamp: '2026-03-01T09:00:00.000Z' });
    await push({ logId: 'log-b', sentAt: '2026-03-01T10:00:00.000Z', mutations: [mine] });
    expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'mine' } }]);
    const last = mutation({ baseVersion: 1, data: { title: 'last' }, timestamp: '2026-03-01T11:30:00.000Z' });
    await push({ logId: 'log-c', mutations: [last] });
    expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'last' } }]);
  });

  it('takes a write of a clock that was set back as made after the one before it', async () => {
    const { push, pull } = setUp({ strategy: 'last-write-wins' });
    await push({ mutations: [create({ title: '0' })] });
    await push({ mutations: [mutation({ data: { title: 'mine' }, timestamp: '2026-03-01T09:00:00.000Z' })] });
    const between = mutation({ clientId: 'b', data: { title: 'between' }, timestamp: '2026-03-01T10:00:00.000Z' });
    await push({ clientId: 'b', logId: 'log-b', mutations: [between] });
    expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'mine' } }]);
  });

  it('rejects the second of two mutations with one sequence', async () => {
    const { push } = setUp();
    const [one, two] = [create({ n: 1 }, { sequence: 500 }), create({ n: 2 }, { recordId: 't2', sequence: 500 })];
    expect((await push({ mutations: [one, two] })).results).toMatchObject([
      { status: 'applied', mutationId: one.id },
      { code: 'INVALID', mutationId: two.id },
    ]);
  });

  it('answers each mutation by its id, whatever is wrong with it', async () => {
    const { handler } = setUp({ limits: { maxMutations: 3, maxRecordBytes: 100 } });
    const mutations = [
      create({}, { clientId: 'somebody else' }),
      create({ text: 'x'.repeat(100) }),
      create({}, { sequence: -1 }),
      create({}),
    ];
    const { results } = await handler.handlePush({ clientId: 'a', lastCheckpoint: null, mutations });
    expect([brief(results), results.map(({ mutationId }) => mutationId)]).toEqual([
      ['INVALID', 'TOO_LARGE', 'INVALID', 'BATCH_TOO_LARGE'],
      mutations.map(({ id }) => id),
    ]);
  });

  it('I13 answers a mutation whose id no client can read without one, by its place in the request', async () => {
    const { push } = setUp({ limits: { maxMutations: 4 } });
    const ids = ['', 'x'.repeat(129), 'a\u0000', 'm', '\ud800'];
    const answer = await push({ mutations: ids.map((id, index) => create({}, { id, sequence: index + 1 })) });
    expect(answer.results.map(({ mutationId }) => mutationId)).toEqual([
      undefined,
      undefined,
      undefined,
      'm',
      undefined,
    ]);
    expect(syncPushResponseSchema.safeParse(answer).error).toBeUndefined();
  });

  it('takes as many mutations as its limit says, and asks for the rest again', async () => {
    const { push } = setUp({ limits: { maxMutations: 2 } });
    const { results, limits } = await push({ mutations: [1, 2, 3].map((n) => create({ n }, { recordId: n })) });
    expect(brief(results)).toEqual(['applied', 'applied', 'BATCH_TOO_LARGE']);
    expect(limits?.maxMutations).toBe(2);
  });

  it('refuses a push of so many mutations that to say of each that it is too many would be too much', async () => {
    const { push } = setUp();
    const nothings = (count: number) => ({ mutations: new Array<never>(count).fill(null as never) });
    expect((await push(nothings(10_000))).results).toHaveLength(10_000);
    expect(await errorOf(push(nothings(10_001)))).toBe('413 TOO_LARGE');
    const { push: pushToLarge } = setUp({ limits: { maxMutations: 10_001 } });
    expect((await pushToLarge(nothings(10_001))).results).toHaveLength(10_001);
  });

  it('rejects the write with which a record would have too many fields, and takes all others', async () => {
    const { push } = setUp();
    const fields = (count: number, prefix: string) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, 0]));
    const mutations = [
      create(fields(MAX_FIELDS - 1, 'a')),
      mutation({ data: fields(1, 'b') }),
      mutation({ data: fields(2, 'b') }),
      mutation({ data: fields(2, 'a') }),
    ];
    const { results } = await push({ mutations });
    expect(brief(results)).toEqual(['applied', 'applied', 'TOO_LARGE', 'applied']);
    expect(results[2]).toMatchObject({ reason: 'The record would have more than 1000 fields.' });
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

  it('rejects what would give a record more fields than it may have', async () => {
    const { push } = setUp();
    const fields = (from: number, count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`f${from + n}`, n]));
    const { results } = await push({
      mutations: [
        create(fields(0, MAX_FIELDS)),
        mutation({ data: fields(0, 1) }),
        mutation({ data: fields(MAX_FIELDS, 1) }),
      ],
    });
    expect(brief(results)).toEqual(['applied', 'applied', 'TOO_LARGE']);
  });

  it('I4 serves the objects that are in its map when it is asked, as definitions are known only at the start', async () => {
    const objects = new Map<string, SyncConfig>();
    const { push, pull } = setUp({ objects });
    expect(brief((await push({ mutations: [create({ title: 'x' })] })).results)).toEqual(['UNKNOWN_OBJECT']);
    objects.set('task', { enabled: true });
    await push({ mutations: [create({ title: 'x' })] });
    expect((await pull()).serverChanges).toMatchObject([{ recordId: 't1' }]);
  });

  it('serves no object that metadata does not enable', async () => {
    const { push, pull, store } = setUp({
      objects: { task: { enabled: true, strategy: () => ({}) as never }, note: { enabled: false } },
    });
    // As it is left where an object was synced until now.
    await new SyncHandler({ store }).recordChange({
      objectName: 'note',
      recordId: 'n1',
      operation: 'create',
      data: {},
    });
    const { results } = await push({
      mutations: [create({ n: 1 }), create({ n: 1 }, { objectName: 'note' }), create({ n: 1 }, { objectName: 'x' })],
    });
    expect(brief(results)).toEqual(['applied', 'UNKNOWN_OBJECT', 'UNKNOWN_OBJECT']);
    expect((await pull()).serverChanges).toHaveLength(1);
  });

  it.each(['note', 'tasks'])(
    'refuses a write past sync of %s, which is not synced, and takes none beside it',
    async (objectName) => {
      const { handler, pull } = setUp({ objects: { task: { enabled: true }, note: { enabled: false } } });
      const change = { recordId: '1', operation: 'create', data: {} } as const;
      const advice = `${objectName} is not synced here. Set enabled: true in its sync block.`;
      await expect(handler.recordChange({ ...change, objectName })).rejects.toThrow(
        new TypeError(`recordChange: ${advice}`),
      );
      await expect(
        handler.recordChanges([
          { ...change, objectName: 'task' },
          { ...change, objectName },
        ]),
      ).rejects.toThrow(new TypeError(`recordChanges: change 1: ${advice}`));
      expect((await pull()).serverChanges).toEqual([]);
    },
  );

  it('refuses options that are unknown or out of range', () => {
    const wrong: readonly SyncHandlerOptions[] = [
      { limits: { maxMutation: 1 } as never },
      { limits: { maxMutations: 0 } },
      { changeLogRetentionDays: 0 },
      { strategy: 'latest' as never },
    ];
    for (const options of wrong) expect(() => new SyncHandler(options)).toThrow(TypeError);
  });

  it.each([
    [
      { task: { enabled: true, conflictFields: ['title'] } },
      'objects.task.conflictFields is unknown. Known: enabled, strategy, ',
    ],
    [new Map([['task', { strategy: 'manual' }]]), 'objects.task.enabled is missing; must be true or false.'],
    [{ task: { enabled: true, strategy: 'latest' } }, 'objects.task.strategy must be'],
    [[{ objectName: 'task', sync: { enabled: true } }], 'objects must be a Map or an object of sync blocks by name'],
    [{ task: null }, 'objects.task must be a mapping'],
  ])('refuses malformed configurations of objects, and says where: %j', (objects, message) => {
    expect(() => new SyncHandler({ objects: objects as never })).toThrow(message);
  });
});

it('keeps an id from forging entries of the operator’s log', async () => {
  const { handler, push, warnings } = setUp();
  await handler.handlePull({ clientId: 'a\nERROR \u001b[31m\u009b1m', lastCheckpoint: '2.other.9.0.' });
  const applyMutation = () => Promise.reject(new Error('no'));
  const resolver = { getRecord: () => undefined, applyMutation };
  await push({ mutations: [create({}, { id: 'm\r\n\u2028' })] }, resolver);
  expect(warnings.map(({ message }) => message.split(' has seen')[0])).toEqual([
    'Client a\\u000aERROR \\u001b[31m\\u009b1m',
    'Mutation m\\u000d\\u000a\\u2028 could not be applied.',
  ]);
});
