import { expect, it } from 'vitest';
import type { Authorize } from './authorize.js';
import { brief, create, setUp } from './sync-handler.fixture.js';

const NEVER = new Promise<never>(() => {});

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

it('fails a page alone whose rule never answers', async () => {
  let ask = () => {};
  const asked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const read: Authorize['read'] = ({ recordId }) => {
    if (recordId !== 'bad') return 'allow';
    ask();
    return NEVER;
  };
  const { handler, pull, runTimers } = setUp({ authorize: { read } });
  await handler.recordChange({ objectName: 'task', recordId: 'bad', operation: 'create', data: {} });
  const page = pull();
  await asked;
  runTimers();
  await expect(page).rejects.toThrow('authorize.read did not answer within 10000 ms.');
});

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
