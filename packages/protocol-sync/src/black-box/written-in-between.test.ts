import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import { type RecordResolver, RejectionError } from '../records/record-resolver.js';
import { brief, create, DAY_MS, mutation, setUp } from '../sync-handler.fixture.js';

it('I11 keeps what was written past sync while an announced write was being made', async () => {
  const { handler, push, pull } = setUp();
  const row: Record<string, unknown> = {};
  const resolver: RecordResolver = {
    getRecord: () => ('title' in row ? row : undefined),
    async applyMutation({ data, operation }) {
      Object.assign(row, data);
      if (operation !== 'update') return;
      row.due = 'tomorrow';
      await handler.recordChange({
        objectName: 'task',
        recordId: 't1',
        operation: 'update',
        data: { due: 'tomorrow' },
      });
    },
  };
  await push({ mutations: [create({ title: 'x' }), mutation({ data: { title: 'y' } })] }, resolver);
  const [change] = (await pull()).serverChanges;
  expect([change?.data, change?.serverVersion]).toEqual([row, 3]);
});

it('I11 takes over what the application has when somebody else wrote while an announced write was being made', async () => {
  for (const operation of ['create', 'update', 'delete'] as const) {
    const { handler, push, pull } = setUp();
    const rows = new Map<unknown, Record<string, unknown>>();
    let isMet = false;
    const resolver: RecordResolver = {
      getRecord: (_objectName, recordId) => rows.get(recordId),
      async applyMutation(applied) {
        if (applied.operation === 'delete') rows.delete('t1');
        else rows.set('t1', { ...applied.data });
        if (applied.operation !== operation || isMet) return;
        isMet = true;
        const data = { due: 'tomorrow' };
        rows.set('t1', { ...rows.get('t1'), ...data });
        await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data });
      },
    };
    const mutations = [create({ title: 'x' })];
    if (operation !== 'create')
      mutations.push(mutation({ operation, ...(operation === 'update' ? { data: { title: 'y' } } : {}) }));
    const { results } = await push({ mutations }, resolver);
    expect(results.at(-1)).toMatchObject({ status: 'applied', record: rows.get('t1') });
    expect((await pull()).serverChanges).toMatchObject([{ data: rows.get('t1') }]);
  }
});

it('I8 tells whose delete it was, also where somebody else wrote while it was being made', async () => {
  const { handler, push } = setUp({ strategy: 'manual' });
  const rows = new Map<unknown, object>();
  const resolver: RecordResolver = {
    getRecord: (_objectName, recordId) => rows.get(recordId),
    async applyMutation({ recordId, operation, data = {} }) {
      if (operation === 'create') return void rows.set(recordId, data);
      await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data: { due: 'today' } });
      rows.delete(recordId);
    },
  };
  await push({ logId: 'log-b', mutations: [create({ title: 'x' })] }, resolver);
  await push({ mutations: [mutation({ operation: 'delete', baseVersion: 1 })] }, resolver);
  const late = mutation({ baseVersion: 1, data: { title: 'y' } });
  const { results } = await push({ logId: 'log-b', mutations: [late] }, resolver);
  expect(results).toMatchObject([
    { status: 'conflict', conflict: { kind: 'update-delete', serverVersion: 3, deletedStamp: { logId: 'log-a' } } },
  ]);
});

/** Rows of an application whose process can die right after a write, and which can fail. */
function rowsThatDie() {
  const rows = new Map<unknown, Record<string, unknown>>();
  let does: 'write' | 'write and die' | 'fail' = 'write';
  const resolver: RecordResolver = {
    getRecord: (_objectName, recordId) => rows.get(recordId),
    applyMutation({ recordId, operation, data }) {
      if (does === 'fail') throw new Error('down');
      if (operation === 'delete') rows.delete(recordId);
      else rows.set(recordId, { ...rows.get(recordId), ...data });
      return does === 'write and die' ? new Promise<never>(() => {}) : undefined;
    },
  };
  return { rows, resolver, now: (next: typeof does) => (does = next) };
}

/** A server to which a mutation of `t1` was pushed whose write was made and never confirmed, a day ago. */
async function unconfirmed(parts: Partial<MutationLogEntry>, before: JsonObject) {
  const server = setUp();
  const { rows, resolver, now } = rowsThatDie();
  await server.push({ mutations: [create(before)] }, resolver);
  const said = mutation(parts);
  now('write and die');
  await pushAndDie(server, [said], resolver);
  server.advance(DAY_MS);
  /** What the application writes past sync. */
  const writePast = async (
    row: Record<string, unknown>,
    data: JsonObject,
    operation: 'create' | 'update' = 'update',
  ) => {
    rows.set('t1', row);
    await server.handler.recordChange({ objectName: 'task', recordId: 't1', operation, data });
  };
  return { ...server, said, rows, resolver, now, writePast };
}

/** A push whose write is made, and never confirmed. */
async function pushAndDie(
  { push, runTimers }: ReturnType<typeof setUp>,
  mutations: object[],
  resolver: RecordResolver,
) {
  let isAnswered = false;
  const answer = push({ mutations: mutations as never }, resolver).finally(() => (isAnswered = true));
  while (!isAnswered) {
    runTimers();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return answer;
}

it('I11 keeps what is left of an announced write that was written over in part, and then fails', async () => {
  const dead = await unconfirmed({ data: { title: 'b', status: 'b' } }, { title: 'a', status: 'a' });
  const { push, pull, said, rows, resolver, now, writePast } = dead;
  await writePast({ ...rows.get('t1'), status: 'c' }, { status: 'c' });
  now('fail');
  expect(brief((await push({ mutations: [said] }, resolver)).results)).toEqual(['conflict']);
  expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'b', status: 'c' } }]);
});

it('I11 keeps what a hook left of an announced write that was written over, and then fails', async () => {
  const { push, pull, said, resolver, now, writePast } = await unconfirmed({ data: { title: 'B' } }, { title: 'A' });
  // The application makes a slug of each title that comes through sync.
  await writePast({ title: 'C', slug: 'b' }, { title: 'C' });
  now('fail');
  expect(brief((await push({ mutations: [said] }, resolver)).results)).toEqual(['conflict']);
  expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'C', slug: 'b' } }]);
});

it('I11 takes over the record that the application made anew where a delete was made and is given up', async () => {
  for (const operation of ['create', 'update'] as const) {
    const dead = await unconfirmed({ operation: 'delete' }, { title: 'a', status: 'a' });
    const { push, pull, said, rows, resolver, now, writePast } = dead;
    await writePast({ status: 'new' }, { status: 'new' }, operation);
    now('fail');
    expect(brief((await push({ mutations: [said] }, resolver)).results)).toEqual(['conflict']);
    expect((await pull()).serverChanges).toMatchObject([{ data: { status: 'new' } }]);
    expect((await pull()).serverChanges[0]?.data).toEqual(rows.get('t1'));
  }
});

it('I11 counts as made a delete whose process died after it, though the application is down by now', async () => {
  const { push, said, rows, resolver, now } = await unconfirmed({ operation: 'delete' }, { title: 'a' });
  now('fail');
  const { results } = await push({ mutations: [said] }, resolver);
  expect([rows.size, results]).toMatchObject([0, [{ status: 'applied', serverVersion: 2 }]]);
});

it('asks the application in no transaction, whose connections its own queries may be waiting for', async () => {
  for (const ends of ['write', 'fail'] as const) {
    const dead = await unconfirmed({ data: { title: 'b' } }, { title: 'a', status: 'a' });
    const { push, store, said, rows, resolver, now, writePast } = dead;
    await writePast({ ...rows.get('t1'), status: 'c' }, { status: 'c' });
    if (ends === 'fail') rows.set('t1', { title: 'c', status: 'c' });
    now(ends);
    let open = 0;
    const { transaction } = store;
    store.transaction = async (work) => {
      open += 1;
      return transaction.call(store, work).finally(() => (open -= 1)) as never;
    };
    const asked: number[] = [];
    const getRecord: RecordResolver['getRecord'] = (...question) => {
      asked.push(open);
      return resolver.getRecord(...question);
    };
    await push({ mutations: [said] }, { ...resolver, getRecord });
    expect([new Set(asked), asked.length > 1]).toEqual([new Set([0]), true]);
  }
});

it('I5 gives an announced write a version above a delete that was forgotten meanwhile', async () => {
  const { push, advance, handler, said, resolver, now } = await unconfirmed({ operation: 'delete' }, { title: 'a' });
  await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'delete' });
  advance(31 * DAY_MS);
  await handler.prune();
  now('write');
  const { results } = await push({ mutations: [said] }, resolver);
  expect(results).toMatchObject([{ status: 'applied', serverVersion: 3 }]);
});

it('I2 remembers a refusal whose place a clone of the device has taken while the application was asked', async () => {
  const { push } = setUp();
  const mine = create({ n: 1 });
  const clones = create({ n: 2 }, { recordId: 't2', sequence: mine.sequence });
  const resolver: RecordResolver = {
    getRecord: () => undefined,
    async applyMutation({ id }) {
      if (id !== mine.id) return;
      await push({ mutations: [clones] }, resolver);
      throw new RejectionError('VALIDATION', 'Not this one.');
    },
  };
  expect((await push({ mutations: [mine] }, resolver)).results).toMatchObject([{ code: 'VALIDATION' }]);
  const again = await push({ logId: 'log-new', mutations: [mine] }, resolver);
  expect(again.results).toMatchObject([{ code: 'VALIDATION', duplicate: true }]);
});

it('I11 counts as made what a resolver wrote before it failed, and as left what it wrote of it', async () => {
  for (const fields of [['title', 'status'], ['title']]) {
    const { push, pull } = setUp();
    const row: Record<string, unknown> = {};
    let isMade = false;
    const resolver: RecordResolver = {
      getRecord: () => (isMade ? row : undefined),
      applyMutation({ operation, data = {} }) {
        isMade = true;
        if (operation === 'create') return void Object.assign(row, data);
        for (const field of fields) row[field] = data[field];
        row.slug = 'of a hook';
        throw new Error('The connection broke.');
      },
    };
    const mutations = [create({ title: 'a', status: 'a' }), mutation({ data: { title: 'b', status: 'b' } })];
    const { results } = await push({ mutations }, resolver);
    expect(brief(results)).toEqual(['applied', fields.length === 2 ? 'applied' : 'INTERNAL']);
    expect((await pull()).serverChanges).toMatchObject([{ serverVersion: 2, data: row }]);
  }
});

it('I11 counts an empty record as made only where there is one', async () => {
  const { push, pull } = setUp();
  const resolver: RecordResolver = {
    getRecord: () => undefined,
    applyMutation: () => Promise.reject(new Error('down')),
  };
  expect(brief((await push({ mutations: [create({})] }, resolver)).results)).toEqual(['INTERNAL']);
  expect((await pull()).serverChanges).toEqual([]);
});

it('I5 changes nothing of a record whose write the application refuses and leaves nothing of', async () => {
  for (const data of [{ title: 'b' }, { title: 'a' }, undefined]) {
    const { push, pull } = setUp();
    const row: Record<string, unknown> = {};
    let isMade = false;
    const resolver: RecordResolver = {
      getRecord: () => (isMade ? row : undefined),
      applyMutation(applied) {
        if (applied.operation !== 'create') throw new RejectionError('VALIDATION', 'It is closed.');
        isMade = true;
        // What the application keeps to itself.
        Object.assign(row, applied.data, { internal: true });
      },
    };
    const made = create({ title: 'a' });
    const refused = mutation(data ? { data } : { operation: 'delete' });
    const { results } = await push({ mutations: [made, refused] }, resolver);
    expect(brief(results)).toEqual(['applied', 'VALIDATION']);
    expect((await pull()).serverChanges).toMatchObject([{ serverVersion: 1, data: { title: 'a' } }]);
  }
});

it('I11 asks the application anew when somebody else wrote while it was asked', async () => {
  const { handler, push, pull } = setUp();
  let row: Record<string, unknown> | undefined;
  const writePastSync = async (data: Record<string, string>) => {
    row = { ...row, ...data };
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data });
  };
  let isWriting = false;
  const resolver: RecordResolver = {
    async getRecord() {
      const asked = row && { ...row };
      if (isWriting) await writePastSync({ due: 'later' });
      isWriting = false;
      return asked;
    },
    async applyMutation({ data }) {
      row = { ...row, ...data };
      if (data?.title !== 'y') return;
      await writePastSync({ due: 'tomorrow' });
      isWriting = true;
    },
  };
  await push({ mutations: [create({ title: 'x' }), mutation({ data: { title: 'y' } })] }, resolver);
  expect((await pull()).serverChanges).toMatchObject([{ data: { title: 'y', due: 'later' } }]);
});
