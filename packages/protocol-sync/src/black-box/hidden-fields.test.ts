/** I12 within a record: what a caller sees of it, and what its answers give away. */
import type { MutationLogEntry, StrategyName, SyncMutationResult, SyncPushRequest } from '@objectql/sync-types';
import { describe, expect, it } from 'vitest';
import type { ReadPermission, ReadQuestion } from '../rules/authorize.js';
import { brief, create, mutation, setUp } from '../sync-handler.fixture.js';

describe.each(['none', 'manual', 'crdt', 'last-write-wins'] as const)('I12 with the strategy %s', (strategy) => {
  it('names no hidden field to whoever deletes the record, also when they ask again', async () => {
    const { clerk, boss } = await office(strategy);
    await boss(mutation({ data: { title: 'new', salary: 7 }, baseVersion: 1 }));
    const late = mutation({ operation: 'delete', baseVersion: 1 });
    expect(JSON.stringify([await clerk(late), await clerk(late)])).not.toContain('salary');
  });

  it.each([
    ['an update', (salary: number) => mutation({ data: { salary } })],
    ['a create', (salary: number) => create({ title: 'x', salary })],
  ])('does not tell by %s whether a guess at a hidden value is right', async (_what, guess) => {
    const { clerk } = await office(strategy);
    const [wrong, right] = await Promise.all([4, 5].map(async (salary) => clerkSees(await clerk(guess(salary)))));
    expect(right).toEqual(wrong);
  });
});

it('I8 tells of a delete that hidden fields alone stood against', async () => {
  const { clerk, boss } = await office('crdt');
  await boss(mutation({ data: { salary: 7 }, baseVersion: 1 }));
  expect(await clerk(mutation({ operation: 'delete', baseVersion: 1 }))).toMatchObject([
    { status: 'applied', serverVersion: 2, record: { title: 'x' }, droppedFields: ['title'] },
  ]);
});

it('names of all that a deleting caller sees only what stood against the delete', async () => {
  const { clerk, boss } = await office('crdt');
  await boss(mutation({ data: { body: 'seen' }, baseVersion: 1 }));
  await boss(mutation({ data: { title: 'new', salary: 7 }, baseVersion: 2 }));
  expect(await clerk(mutation({ operation: 'delete', baseVersion: 2 }))).toMatchObject([
    { status: 'applied', serverVersion: 3, record: { title: 'new', body: 'seen' }, droppedFields: ['title'] },
  ]);
});

it('I8 tells again of a delete that an edit stood against, when the record is gone by now', async () => {
  const { clerk, boss } = await office('crdt');
  await boss(mutation({ data: { title: 'new', salary: 7 }, baseVersion: 1 }));
  const late = mutation({ operation: 'delete', baseVersion: 1 });
  await clerk(late);
  await boss(mutation({ operation: 'delete', baseVersion: 2 }));
  expect(await clerk(late)).toMatchObject([
    { status: 'applied', serverVersion: 2, record: null, droppedFields: ['title'], duplicate: true },
  ]);
});

it.each([500, 1])(
  'I4 shows whoever may see less than before their own records anew, %i a page',
  async (maxPageRecords) => {
    let hidden: readonly string[] = [];
    const authorize = { read: () => ({ without: hidden }), scope: () => hidden.join() };
    const { push } = setUp({ authorize, limits: { maxPageRecords } });
    const first = await push({ mutations: [create({ title: 'x', salary: 5 }), create({}, { recordId: 't2' })] });
    hidden = ['salary'];
    const edit = mutation({ data: { title: 'new' }, baseVersion: 1 });
    let answer = await push({ lastCheckpoint: first.checkpoint, mutations: [edit] });
    const { reset, serverChanges: told } = answer;
    const changes = [...told];
    while (answer.hasMore) {
      const last = mutation({ data: { title: 'newer' }, baseVersion: 1 });
      answer = await push({ lastCheckpoint: answer.checkpoint, mutations: [last] });
      changes.push(...answer.serverChanges);
    }
    expect([reset, changes.filter(({ recordId }) => recordId === 't1').at(-1)?.data]).toEqual([
      'scope',
      { title: maxPageRecords === 1 ? 'newer' : 'new' },
    ]);
  },
);

describe.each([
  ['in the store', undefined],
  ['outside of the transaction', { getRecord: () => undefined, applyMutation: () => undefined }],
])('I4 shows, applied %s,', (_where, resolver) => {
  it.each([2, undefined] as const)(
    'whoever writes a field that they may not read the record without it, by protocol %s',
    async (protocol) => {
      const { push } = setUp({ authorize: { read: () => ({ without: ['salary'] }) } });
      const { reads, checkpoint: lastCheckpoint } = await pushed({ mutations: [create({ title: 'x', salary: 5 })] });
      const mutations = [mutation({ data: { salary: 7 }, baseVersion: 1 })];
      expect([reads, (await pushed({ lastCheckpoint, mutations })).reads]).toEqual([{ title: 'x' }, { title: 'x' }]);

      /** What a device takes the record for after this push. */
      async function pushed(request: Partial<SyncPushRequest>) {
        const logId = protocol && 'log-a';
        const { results, serverChanges, checkpoint } = await push({ ...request, protocol, logId }, resolver);
        const [result] = results;
        const told = protocol && result?.status === 'applied' ? result.record : serverChanges[0]?.data;
        return { reads: told, checkpoint };
      }
    },
  );

  it.each(['closed', 'open'])('what a write of the status %s lets its writer read', async (status) => {
    const read = ({ record }: ReadQuestion): ReadPermission =>
      record?.status === 'open' ? 'allow' : { without: ['salary'] };
    const { handler, push, pull } = setUp({ authorize: { read } });
    const data = { status: status === 'open' ? 'closed' : 'open', salary: 5 };
    await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data });
    const { checkpoint: lastCheckpoint } = await pull();
    const { results } = await push({ lastCheckpoint, mutations: [mutation({ data: { status }, baseVersion: 1 })] });
    expect(results).toMatchObject([{ record: status === 'open' ? { status, salary: 5 } : { status } }]);
  });
});

it('shows no record to whoever may not read a field that it does not have', async () => {
  const { push } = setUp({ authorize: { read: () => ({ without: ['salary'] }) } });
  const { results } = await push({ mutations: [create({ title: 'x' })] });
  expect(results.map((result) => 'record' in result)).toEqual([false]);
});

it('I12 refuses a write of a hidden record as that of a record that is not there', async () => {
  const { handler, push } = setUp({
    authorize: {
      read: ({ record }) => (record?.owner === 'boss' ? 'hide' : 'allow'),
      write: ({ record }) => record?.owner !== 'boss',
    },
  });
  await handler.recordChange({ objectName: 'task', recordId: 't1', operation: 'create', data: { owner: 'boss' } });
  const { results } = await push({
    mutations: [mutation({ data: { x: 1 } }), mutation({ data: { x: 1 }, recordId: 'no-such' })],
  });
  const [ofHidden, ofMissing] = results.map((result) => ({ ...result, mutationId: undefined }));
  expect([brief(results), ofHidden]).toEqual([['NOT_FOUND', 'NOT_FOUND'], ofMissing]);
});

it('I12 names the mutation behind a change only to whoever sees all of the record', async () => {
  const { handler, boss } = await office('none');
  const pullAs = (id: string, lastCheckpoint: string | null) =>
    handler.handlePull({ clientId: id, protocol: 2, lastCheckpoint }, { principal: { id } });
  const [ofClerk, ofBoss] = await Promise.all([pullAs('clerk', null), pullAs('boss', null)]);
  const raise = mutation({ data: { salary: 7 }, baseVersion: 1 });
  await boss(raise);
  const pages = [await pullAs('clerk', ofClerk.checkpoint), await pullAs('boss', ofBoss.checkpoint)];
  expect(pages.map(({ serverChanges: [change] }) => [change?.data, change?.origin?.mutationId])).toEqual([
    [{ title: 'x' }, undefined],
    [{ title: 'x', salary: 7 }, raise.id],
  ]);
});

it.each([2, undefined] as const)(
  'I12 does not tell, by a mutation of protocol %s sent again by somebody else, what its author said',
  async (protocol) => {
    const { handler } = setUp();
    const pushAs = (id: string, one: MutationLogEntry) => {
      const mutations = [{ ...one, clientId: id }];
      const request = { clientId: id, protocol, logId: protocol && `log-${id}`, lastCheckpoint: null, mutations };
      return handler.handlePush(request, undefined, { principal: { id } });
    };
    const made = create({ pin: 5 });
    const guess = (pin: number) => pushAs('clerk', { ...made, data: { pin } });
    const answers = [await pushAs('boss', made), await guess(4), await guess(5), await pushAs('boss', made)];
    expect(answers.flatMap(({ results }) => brief(results))).toEqual(['applied', 'ID_REUSED', 'ID_REUSED', 'applied']);
  },
);

/** A record whose `salary` the clerk may not see, and those who push to it. */
async function office(strategy: StrategyName | 'none') {
  const { handler } = setUp({
    authorize: { read: ({ principal }) => (principal?.id === 'boss' ? 'allow' : { without: ['salary'] }) },
    ...(strategy === 'none' ? {} : { strategy }),
  });
  const pushAs = (id: string) => async (entry: MutationLogEntry) => {
    const mutations = [{ ...entry, clientId: id }];
    const request = { clientId: id, logId: `log-${id}`, protocol: 2, lastCheckpoint: null, mutations };
    return (await handler.handlePush(request, undefined, { principal: { id } })).results;
  };
  const [boss, clerk] = [pushAs('boss'), pushAs('clerk')];
  await boss(create({ title: 'x', salary: 5 }));
  return { handler, boss, clerk };
}

/** Of a result what a guess can be judged by; each mutation has its own id and version. */
function clerkSees([result]: readonly SyncMutationResult[]) {
  return result?.status === 'conflict'
    ? [result.status, result.conflict.kind, result.conflict.conflictingFields, result.conflict.serverRecord]
    : result?.status === 'applied' && [result.status, result.record, result.droppedFields];
}
