import type { MutationLogEntry } from '@objectql/sync-types';
import { describe, expect, it } from 'vitest';
import { type RecordResolver, RejectionError } from '../records/record-resolver.js';
import { brief, create, mutation, setUp } from '../sync-handler.fixture.js';

const WIDE = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`field${index}`, index]));

describe.each([{ transactional: true }, { transactional: false }])('a resolver with %o', (kind) => {
  const resolver: RecordResolver = { ...kind, getRecord: () => undefined, applyMutation: () => undefined };
  const pushBoth = async (mistaken: RecordResolver, options: Parameters<typeof setUp>[0] = {}) => {
    const { push, pull, warnings } = setUp(options);
    const mutations = [create({ n: 1 }, { recordId: 'bad' }), create({ n: 1 }, { recordId: 'good' })];
    const { results } = await push({ mutations }, mistaken);
    const { serverChanges } = await pull();
    const causes = new Set(warnings.map(({ cause }) => String(cause)));
    return { results: brief(results), changed: serverChanges.map(({ recordId }) => recordId), causes: [...causes] };
  };

  it('cannot answer with a code that no client knows', async () => {
    const teapot = 'TEAPOT' as 'INVALID';
    const applyMutation: RecordResolver['applyMutation'] = ({ recordId }) => {
      if (recordId === 'bad') throw new RejectionError(teapot, 'I am a teapot.');
    };
    const outcome = await pushBoth({ ...resolver, applyMutation });
    expect(outcome).toEqual({
      results: ['INTERNAL', 'applied'],
      changed: ['good'],
      causes: [expect.stringContaining('TEAPOT is no code')],
    });
  });

  it('cannot bring a record into the feed that no client takes', async () => {
    const getRecord: RecordResolver['getRecord'] = (_objectName, recordId) => (recordId === 'bad' ? WIDE : undefined);
    const outcome = await pushBoth({ ...resolver, getRecord });
    expect(outcome).toEqual({
      results: ['INTERNAL', 'applied'],
      changed: ['good'],
      causes: [expect.stringContaining('more than 1000 fields')],
    });
  });

  it('I2 cannot change what a client said by what it does to the mutation it is given', async () => {
    const applyMutation: RecordResolver['applyMutation'] = ({ data }) => {
      const fields = data as { title?: string; tags: string[]; updatedAt?: string };
      fields.updatedAt = 'now';
      fields.tags.push('mine');
      delete fields.title;
    };
    const { push, pull } = setUp();
    const said = { title: 'Buy milk', tags: ['home'] };
    const sent = create(said, { id: 'm1', recordId: 'x' });
    const send = () => push({ mutations: [structuredClone(sent)] }, { ...resolver, applyMutation });
    const first = await send();
    const again = await send();
    const { serverChanges } = await pull();
    expect([brief(first.results), brief(again.results), serverChanges.map(({ data }) => data)]).toEqual([
      ...[['applied'], ['applied']],
      [said],
    ]);
  });

  it('may say null where there is no record, and answers to a delete what it likes', async () => {
    const rows = new Map<unknown, object>();
    const answers: RecordResolver = {
      ...kind,
      getRecord: (_objectName, recordId) => rows.get(recordId) ?? (null as never),
      applyMutation({ operation, recordId, data }) {
        if (operation === 'delete') return { deleted: rows.delete(recordId) };
        rows.set(recordId, { ...data });
        return null as never;
      },
    };
    const { push, pull } = setUp();
    const mutations = [create({ n: 1 }), create({ n: 1 }, { recordId: 't2' }), mutation({ operation: 'delete' })];
    expect(brief((await push({ mutations }, answers)).results)).toEqual(['applied', 'applied', 'applied']);
    expect((await pull()).serverChanges).toMatchObject([
      { recordId: 't2', data: { n: 1 } },
      { recordId: 't1', operation: 'delete' },
    ]);
  });

  it('I5 brings a record of its own into the feed once, as a write of now', async () => {
    const rows = new Map<unknown, object>([['t1', { title: 'older than sync' }]]);
    const table: RecordResolver = {
      ...kind,
      getRecord: (_objectName, recordId) => rows.get(recordId),
      applyMutation: ({ recordId, data }) => void rows.set(recordId, { ...rows.get(recordId), ...data }),
    };
    const { push } = setUp({ strategy: 'last-write-wins' });
    const late = mutation({ data: { title: 'late', n: 1 } });
    const { results } = await push({ mutations: [late, mutation({ data: { n: 2 } })] }, table);
    const again = await push({ mutations: [mutation({ data: { n: 3 } })] }, table);
    expect([...results, ...again.results]).toMatchObject([
      { serverVersion: 2, record: { title: 'older than sync', n: 1 }, droppedFields: ['title'] },
      { serverVersion: 3 },
      { serverVersion: 4 },
    ]);
  });

  it('I4 has its record shown to a device that names a version which it knows from another feed', async () => {
    const table: RecordResolver = { ...resolver, getRecord: () => ({ title: 'older than sync' }) };
    const { push } = setUp();
    const { results } = await push({ mutations: [mutation({ baseVersion: 1, data: { n: 1 } })] }, table);
    expect(results).toMatchObject([{ serverVersion: 2, record: { title: 'older than sync', n: 1 } }]);
  });

  it('is told the fields to write without those that lost, and of an update where a create met a record', async () => {
    const told: unknown[] = [];
    const applyMutation: RecordResolver['applyMutation'] = ({ operation, data }) => void told.push([operation, data]);
    const { push } = setUp({ strategy: 'last-write-wins' });
    const send = (logId: string, one: MutationLogEntry) =>
      push({ logId, mutations: [one] }, { ...resolver, applyMutation });
    await send('log-b', create({ title: 'theirs' }, { timestamp: '2026-03-01T11:30:00.000Z' }));
    await send('log-a', mutation({ data: { title: 'mine', body: 'mine' } }));
    const { results } = await send('log-c', create({ due: 'today' }));
    expect(told).toEqual([
      ['create', { title: 'theirs' }],
      ['update', { body: 'mine' }],
      ['update', { due: 'today' }],
    ]);
    expect(results).toMatchObject([{ record: { title: 'theirs', body: 'mine', due: 'today' } }]);
  });

  it('I2 refuses a write for good, and none that comes after it', async () => {
    let isStrict = true;
    const applyMutation: RecordResolver['applyMutation'] = ({ data }) => {
      if (isStrict && data?.n === -1) throw new RejectionError('VALIDATION', 'n is negative.');
    };
    const { push } = setUp();
    const send = (mutations: MutationLogEntry[]) => push({ mutations }, { ...resolver, applyMutation });
    const mutations = [create({ n: 1 }), mutation({ data: { n: -1 } }), mutation({ data: { n: 2 } })];
    const { results } = await send(mutations);
    isStrict = false;
    const again = await send(mutations.slice(1, 2));
    expect(brief(results)).toEqual(['applied', 'VALIDATION', 'applied']);
    expect(again.results).toMatchObject([{ code: 'VALIDATION', reason: 'n is negative.', duplicate: true }]);
  });

  it('I4 has its record shown to the writer if it made another one than they sent, and else not', async () => {
    const applyMutation: RecordResolver['applyMutation'] = ({ recordId, data }) =>
      recordId === 'changed' ? { ...data, owner: 'ada' } : undefined;
    const { push } = setUp();
    const mutations = ['changed', 'as sent'].map((recordId) => create({ n: 1 }, { recordId }));
    const { results } = await push({ mutations }, { ...resolver, applyMutation });
    expect(results).toEqual([
      { status: 'applied', mutationId: mutations[0]?.id, serverVersion: 1, record: { n: 1, owner: 'ada' } },
      { status: 'applied', mutationId: mutations[1]?.id, serverVersion: 1 },
    ]);
  });

  it('is not asked for records of objects that take no part in sync', async () => {
    const getRecord: RecordResolver['getRecord'] = (objectName) => {
      throw new Error(`There is no table ${objectName}.`);
    };
    const outcome = await pushBoth({ ...resolver, getRecord }, { objects: new Map([['note', { enabled: true }]]) });
    expect(outcome).toEqual({ results: ['UNKNOWN_OBJECT', 'UNKNOWN_OBJECT'], changed: [], causes: [] });
  });
});
