import { describe, expect, it } from 'vitest';
import type { RecordResolver } from './records/record-resolver.js';
import { brief, create, mutation, setUp } from './sync-handler.fixture.js';

describe('a protocol-1 peer', () => {
  const published = { clientId: 'a', lastCheckpoint: null };

  it('is served with the published shapes alone', async () => {
    const { handler } = setUp();
    const first = create({ title: '0' });
    const answer = await handler.handlePush({ ...published, mutations: [first] });
    expect(answer.results).toEqual([{ status: 'applied', mutationId: first.id, serverVersion: 1 }]);
    expect(answer).toMatchObject({
      serverChanges: [],
      checkpoint: expect.any(String),
    });
    expect((await handler.handlePush({ ...published, mutations: [first] })).results).toMatchObject([
      { duplicate: true },
    ]);
  });

  it('is no other user’s device of the same name, and is not told whose device another one is', async () => {
    const { handler } = setUp({ strategy: 'manual' });
    const pushAs = async (id: string, one: object) =>
      (await handler.handlePush({ ...published, mutations: [one] }, undefined, { principal: { id } })).results;
    const late = { sequence: Number.MAX_SAFE_INTEGER };
    const results = [
      await pushAs('ann@x.org', create({ a: 1, b: 1 })),
      await pushAs('bob@x.org', mutation({ ...late, data: { b: 2 }, baseVersion: 1 })),
      await pushAs('ann@x.org', mutation({ data: { a: 2 }, baseVersion: 1 })),
      await pushAs('bob@x.org', mutation({ ...late, data: { a: 3 }, baseVersion: 1 })),
    ];
    expect(results.map(brief)).toEqual([['applied'], ['applied'], ['applied'], ['conflict']]);
    expect(JSON.stringify(results)).not.toContain('@x.org');
  });

  it('is no user’s device where nobody is signed in, whatever its name', async () => {
    const { handler } = setUp({ strategy: 'manual' });
    const pushAs = async (one: object, asked: { readonly clientId: string; readonly id?: string }) => {
      const { clientId, id } = asked;
      const context = id === undefined ? {} : { principal: { id } };
      const mutations = [{ ...one, clientId }];
      return (await handler.handlePush({ ...published, clientId, mutations }, undefined, context)).results;
    };
    await pushAs(create({ a: 1 }), { clientId: 'a', id: 'ann' });
    const [met] = await pushAs(mutation({ data: { a: 2 } }), { clientId: 'guest' });
    const stamps = met?.status === 'conflict' ? met.conflict.serverStamps : undefined;
    const device = stamps?.a?.logId.replace('client:', '') ?? '';
    const late = { sequence: Number.MAX_SAFE_INTEGER, data: { a: 3 } };
    expect(brief(await pushAs(mutation(late), { clientId: device }))).toEqual(['conflict']);
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

  it('receives it also where nobody else has written since it was here', async () => {
    const { handler } = setUp();
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data: { title: '0' } });
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'update', data: { title: '1' } });
    const { checkpoint } = await handler.handlePush({ ...published, mutations: [] });
    const behind = mutation({ baseVersion: 1, data: { n: 1 } });
    const answer = await handler.handlePush({ ...published, lastCheckpoint: checkpoint, mutations: [behind] });
    expect(answer.serverChanges).toMatchObject([{ data: { title: '1', n: 1 } }]);
  });

  it('receives it also where it could compute a later write of the same request', async () => {
    const { handler } = setUp();
    const resolver: RecordResolver = {
      transactional: true,
      getRecord: () => undefined,
      // A hook that has something to add at the creation alone.
      applyMutation: ({ operation, data }) => (operation === 'create' ? { ...data, owner: 'ada' } : undefined),
    };
    const mutations = [create({ n: 1 }), mutation({ data: { n: 2 } }), create({ n: 1 }, { recordId: 't2' })];
    const answer = await handler.handlePush({ ...published, mutations }, resolver);
    expect(answer.serverChanges).toMatchObject([{ data: { n: 2, owner: 'ada' } }, { data: { n: 1, owner: 'ada' } }]);
  });

  it('I4 receives it again with the repeated outcome, if the answer was lost', async () => {
    const { handler } = setUp();
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data: { title: '0' } });
    const request = { ...published, mutations: [mutation({ baseVersion: 1, data: { n: 1 } })] };
    await handler.handlePush(request);
    const { results, serverChanges } = await handler.handlePush(request);
    expect(results).toMatchObject([{ status: 'applied', duplicate: true }]);
    expect(serverChanges).toMatchObject([{ data: { title: '0', n: 1 } }]);
  });

  it('does not receive what it wrote itself among what others wrote', async () => {
    const { handler } = setUp();
    await handler.recordChange({ objectName: 'task', recordId: 'other', operation: 'create', data: {} });
    const { serverChanges } = await handler.handlePush({ ...published, mutations: [create({ title: '0' })] });
    expect(serverChanges.map(({ recordId }) => recordId)).toEqual(['other']);
  });

  it('conflicts with what another wrote, however high it numbers its mutations', async () => {
    const { handler } = setUp({ strategy: 'manual' });
    const pushAs = (clientId: string, one: object) =>
      handler.handlePush({ clientId, lastCheckpoint: null, mutations: [{ ...one, clientId }] });
    await pushAs('a', create({ title: 'x' }, { sequence: 1 }));
    const { results } = await pushAs('b', mutation({ data: { title: 'y' }, sequence: 2 }));
    expect(brief(results)).toEqual(['conflict']);
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

  it('is not taken for a clone when it numbers its mutations anew', async () => {
    const { handler } = setUp();
    const push = (...mutations: object[]) => handler.handlePush({ clientId: 'a', lastCheckpoint: null, mutations });
    const known = create({ n: 1 }, { sequence: 1 });
    await push(known);
    const renumbered = [create({ n: 2 }, { recordId: 't2', sequence: 1 }), { ...known, sequence: 2 }];
    expect(brief((await push(...renumbered)).results)).toEqual(['applied', 'applied']);
  });

  it('does not take for its own past what a cleared device of protocol 1 did under the same sequence', async () => {
    const { handler } = setUp({ strategy: 'manual' });
    const push = (one: object) => handler.handlePush({ clientId: 'a', lastCheckpoint: null, mutations: [one] });
    await push(create({ title: 'x' }, { sequence: 1 }));
    const { results } = await push(mutation({ data: { title: 'y' }, sequence: 1 }));
    expect(brief(results)).toEqual(['conflict']);
  });
});
