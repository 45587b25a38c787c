/** What a device takes along when its log turns out to be forked: it may come under two logs, and has one outcome. */
import type { MutationLogEntry, SyncMutationResult } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import { type RecordResolver, storeResolver } from '../records/record-resolver.js';
import { brief, create, DAY_MS, errorOf, mutation, setUp } from '../sync-handler.fixture.js';

/** A server to which mutations go one at a time, and which forgets. */
function setUpForgetful(resolver: RecordResolver = storeResolver) {
  const { push, handler, advance } = setUp();
  const send = async (logId: string, one: MutationLogEntry) =>
    told((await push({ logId, mutations: [one] }, resolver)).results[0]);
  const forget = async (afterMs = 31 * DAY_MS) => {
    advance(afterMs);
    await handler.prune();
  };
  return { push, send, forget, advance };
}

/** The mutation in the log after the one called `log`. */
const moved = (one: MutationLogEntry): MutationLogEntry => ({ ...one, firstLogId: 'log' });

/** What became of a mutation. */
function told(result: SyncMutationResult | undefined): string | undefined {
  const outcome = result?.status === 'rejected' ? result.code : result?.status;
  return result?.duplicate ? `${outcome} before` : outcome;
}

const RESOLVERS: readonly (readonly [string, RecordResolver])[] = [
  ['in the transaction', storeResolver],
  ['outside of it', { getRecord: () => undefined, applyMutation: () => undefined }],
];
for (const [where, resolver] of RESOLVERS) {
  it(`I2 refuses in a new log what was forgotten in the one before, written ${where}`, async () => {
    const { send, forget } = setUpForgetful(resolver);
    const lost = create({ n: 1 });
    expect(await send('log', lost)).toBe('applied');
    await forget();
    expect(await send('next', moved(lost))).toBe('OUTCOME_EXPIRED');
  });

  it(`I2 refuses under the log before what was forgotten in the new one, written ${where}`, async () => {
    const { send, forget } = setUpForgetful(resolver);
    const kept = create({ n: 1 });
    expect(await send('log', create({ n: 0 }, { recordId: 't0', sequence: 1 }))).toBe('applied');
    expect(await send('next', moved(kept))).toBe('applied');
    expect(await send('log', kept)).toBe('applied before');
    await forget();
    expect(await send('log', kept)).toBe('OUTCOME_EXPIRED');
    // A clone has it in a log of its own.
    expect(await send('another', moved(kept))).toBe('OUTCOME_EXPIRED');
  });

  it(`I2 refuses what was forgotten also where the server has never met the log before, written ${where}`, async () => {
    const { send, forget } = setUpForgetful(resolver);
    const kept = create({ n: 1 });
    expect(await send('next', moved(kept))).toBe('applied');
    await forget();
    expect(await send('log', kept)).toBe('OUTCOME_EXPIRED');
    expect(await send('another', moved(kept))).toBe('OUTCOME_EXPIRED');
  });

  it(`I2 applies once what was never sent in its place, which a clone has taken, written ${where}`, async () => {
    const { send, forget, advance } = setUpForgetful(resolver);
    const mine = create({ n: 1 });
    expect(await send('log', create({ n: 2 }, { recordId: 't2', sequence: mine.sequence }))).toBe('applied');
    expect(await errorOf(send('log', mine))).toBe('409 LOG_FORKED');
    // What the clock says then does not let it be forgotten before the clone's, which tells of it.
    advance(-1000);
    expect(await send('next', moved(mine))).toBe('applied');
    await forget(30 * DAY_MS + 1000);
    expect(await send('another', moved(mine))).toBe('applied before');
    await forget();
    expect(await send('log', mine)).toBe('OUTCOME_EXPIRED');
    expect(await send('another', moved(mine))).toBe('OUTCOME_EXPIRED');
  });

  it(`I2 remembers each mutation where it was first written, also beside one whose place is taken, written ${where}`, async () => {
    const { push, send, forget } = setUpForgetful(resolver);
    const [before, taken, free] = [
      create({}, { recordId: 't0' }),
      create({ n: 1 }),
      create({ n: 2 }, { recordId: 't2' }),
    ];
    await send('log', create({ n: 3 }, { recordId: 't3', sequence: taken.sequence }));
    const { results } = await push({ logId: 'next', mutations: [before, taken, free].map(moved) }, resolver);
    expect(results.map(told)).toEqual(['applied', 'applied', 'applied']);
    await forget();
    expect(await send('log', free)).toBe('OUTCOME_EXPIRED');
  });
}

it('I4 shows the record to a device that is not told what a mutation of the log before made of it', async () => {
  const { push, send, forget } = setUpForgetful();
  await send('other', create({ n: 0 }));
  const lost = mutation({ baseVersion: 1, data: { lost: 1 } });
  const later = mutation({ baseVersion: 1, data: { later: 1 } });
  await send('next', moved(lost));
  await forget();
  expect(await send('next', moved(lost))).toBe('OUTCOME_EXPIRED');
  const { results } = await push({ logId: 'next', mutations: [later] });
  expect(results).toMatchObject([{ status: 'applied', record: { n: 0, lost: 1, later: 1 } }]);
});

it('I1 takes all that a user brings along from a log the server has never met, and from that log nothing of another user', async () => {
  const { handler } = setUp();
  const pushAs = async (id: string, logId: string, one: MutationLogEntry) => {
    const request = { clientId: 'a', logId, lastCheckpoint: null, mutations: [one] };
    return brief((await handler.handlePush(request, storeResolver, { principal: { id } })).results);
  };
  expect(await pushAs('ada', 'next', moved(create({ n: 1 })))).toEqual(['applied']);
  expect(await pushAs('ada', 'next', moved(create({ n: 2 }, { recordId: 't2', sequence: 1 })))).toEqual(['applied']);
  expect(await errorOf(pushAs('bob', 'log', create({ n: 3 }, { recordId: 't3' })))).toBe('403 WRONG_PRINCIPAL');
});
