import { expect, it } from 'vitest';
import { RejectionError } from '../records/record-resolver.js';
import { brief, create, mutation, setUp } from '../sync-handler.fixture.js';
import type { Authorize } from './authorize.js';

const NEVER = new Promise<never>(() => {});

/** A rule that takes each record to have an owner. */
const readOwned: Authorize['read'] = ({ record }) => {
  const { owner } = record as { readonly owner: string };
  if (owner.length === 0) throw new RejectionError('FORBIDDEN', 'Somebody must own it.');
  return 'allow';
};

it('I13 goes on with everybody else when a rule about a write never answers', async () => {
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const write: Authorize['write'] = ({ mutation }) => {
    if (mutation.recordId !== 'bad') return true;
    ask();
    return NEVER;
  };
  const { push, runTimers, warnings } = setUp({ authorize: { write } });
  const stuck = push({ mutations: [create({ n: 1 }, { recordId: 'bad' }), create({ n: 1 }, { recordId: 'good' })] });
  const others = push({ clientId: 'a', logId: 'log-b', mutations: [create({ n: 1 }, { recordId: 'other' })] });
  await asked;
  runTimers();
  const [{ results }, { results: ofOthers }] = await Promise.all([stuck, others]);
  expect([brief(results), brief(ofOthers)]).toEqual([['INTERNAL', 'applied'], ['applied']]);
  expect(warnings).toMatchObject([{ cause: { message: 'authorize.write did not answer within 10000 ms.' } }]);
});

it.each(['read', 'scope'])('fails a page alone for which the rule %s never answers', async (rule) => {
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const answerNever = () => {
    ask();
    return NEVER;
  };
  const { handler, pull, runTimers } = setUp({ authorize: { [rule]: answerNever } });
  await handler.recordChange({ objectName: 'task', recordId: 'bad', operation: 'create', data: {} });
  const page = pull();
  await asked;
  runTimers();
  await expect(page).rejects.toThrow(`authorize.${rule} did not answer within 10000 ms.`);
});

it('I1 keeps what is written whole, whatever rules do to what they are shown', async () => {
  const empty = (value: unknown) => {
    for (const key of Object.keys(Object(value))) delete Object(value)[key];
  };
  const authorize: Authorize = {
    write({ mutation, record }) {
      empty(mutation.data);
      empty(record);
      return true;
    },
    read({ record }) {
      empty(record);
      return 'allow';
    },
  };
  const { push, pull } = setUp({ authorize });
  const made = create({ title: 'Buy milk', tags: ['home'] }, { recordId: 'x' });
  const changed = mutation({ recordId: 'x', data: { title: 'Buy oat milk' }, baseVersion: 1 });
  const send = () => push({ mutations: structuredClone([made, changed]) });
  const results = [brief((await send()).results), brief((await send()).results)];
  const { serverChanges } = await pull();
  expect([results, serverChanges.map(({ data }) => data)]).toEqual([
    [
      ['applied', 'applied'],
      ['applied', 'applied'],
    ],
    [{ title: 'Buy oat milk', tags: ['home'] }],
  ]);
});

it.each([
  { where: 'in the store', resolver: undefined },
  { where: 'in its transaction', resolver: { transactional: true } },
  { where: 'beside it', resolver: {} },
])(
  'I13 writes nothing $where for which a rule about reading fails, as would every page that holds it',
  async ({ resolver: kind }) => {
    const { push, pull, warnings } = setUp({ authorize: { read: readOwned } });
    const resolver = kind && { ...kind, getRecord: () => undefined, applyMutation: () => undefined };
    const mutations = Object.entries({ throws: null, refuses: '', answers: 'ada' }).map(([recordId, owner]) =>
      create({ owner }, { recordId }),
    );
    for (const _ of ['once', 'again']) {
      expect(brief((await push({ mutations }, resolver)).results)).toEqual(['INTERNAL', 'FORBIDDEN', 'applied']);
    }
    expect((await pull()).serverChanges).toMatchObject([{ recordId: 'answers' }]);
    // A refusal is no failure.
    expect(warnings).toMatchObject(Array(2).fill({ code: 'WRITE_FAILED', cause: expect.any(TypeError) }));
  },
);

it.each([true, false])(
  'I13 takes no record of the application into the feed for which a rule about reading fails (transactional: %s)',
  async (transactional) => {
    const { push, pull } = setUp({ authorize: { read: readOwned } });
    const resolver = { transactional, getRecord: () => ({ owner: null }), applyMutation: () => undefined };
    expect(brief((await push({ mutations: [mutation({ data: { n: 1 } })] }, resolver)).results)).toEqual(['INTERNAL']);
    expect((await pull()).serverChanges).toEqual([]);
  },
);

it.each([false, undefined, true, 'deny', null, { without: 'title' }])(
  'I12 shows nothing where a rule about reading answers %o, which is no permission',
  async (answer) => {
    const { handler, pull, push } = setUp({ authorize: { read: () => answer as never } });
    await handler.recordChange({ objectName: 'task', recordId: 'x', operation: 'create', data: { title: 'secret' } });
    const refused = `authorize.read answered ${JSON.stringify(answer)}. It must answer 'allow', 'hide', 'forget'`;
    await expect(pull()).rejects.toThrow(refused);
    await expect(push({ mutations: [create({ n: 1 }, { recordId: 'x' })] })).rejects.toThrow(refused);
  },
);

it.each(['deny', 'forget', { allow: false }, 1, 0, null, undefined])(
  'I12 writes nothing where a rule about writing answers %o, which is neither yes nor no',
  async (answer) => {
    const { pull, push, warnings } = setUp({ authorize: { write: () => answer as never } });
    const { results } = await push({ mutations: [create({ n: 1 })] });
    const cause = new TypeError(`authorize.write answered ${JSON.stringify(answer)}. It must answer true or false.`);
    expect([brief(results), warnings, (await pull()).serverChanges]).toMatchObject([['INTERNAL'], [{ cause }], []]);
  },
);

it.each([new Set(['red']), ['red'], 7, null, undefined])(
  'I12 shows nothing under a scope that is no text, of which nobody could tell that it has changed: %o',
  async (answer) => {
    const { pull } = setUp({ authorize: { scope: () => answer as never } });
    await expect(pull()).rejects.toThrow(`authorize.scope answered ${JSON.stringify(answer)}. It must answer a text.`);
  },
);

it('asks rules as methods of the object they stand in', async () => {
  class Rules implements Authorize {
    readonly #refused = 'secret';
    write({ mutation }: Parameters<NonNullable<Authorize['write']>>[0]): boolean {
      return mutation.recordId !== this.#refused;
    }
  }
  const { push } = setUp({ authorize: new Rules() });
  const mutations = ['secret', 'open'].map((recordId) => create({ n: 1 }, { recordId }));
  expect(brief((await push({ mutations })).results)).toEqual(['FORBIDDEN', 'applied']);
});
