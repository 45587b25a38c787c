import { expect, it } from 'vitest';
import type { RecordResolver } from './record-resolver.js';
import { brief, create, mutation, setUp } from './sync-handler.fixture.js';

it('I3 lets no change of a record overtake one that found no time left, when the clock is set back', async () => {
  const { handler } = setUp();
  const clock = { isAhead: false };
  const platform = {
    now: () => {
      const now = Date.parse('2026-03-01T12:00:00.000Z') + (clock.isAhead ? 60_000 : 0);
      clock.isAhead = false;
      return now;
    },
    randomId: () => 'id',
    setTimer: () => () => {},
  };
  const { push } = setUp({ platform, store: handler.store });
  // Ahead once, when it is asked whether there is time for the second mutation.
  const resolver: RecordResolver = {
    transactional: true,
    getRecord: async () => undefined,
    applyMutation: async ({ recordId }) => {
      clock.isAhead = recordId === 'other';
    },
  };
  const mutations = [create({}, { recordId: 'other' }), create({ n: 1 }), mutation({ data: { n: 2 } })];
  expect(brief((await push({ mutations }, resolver)).results)).toEqual(['applied', 'BUSY', 'BUSY']);
  expect(brief((await push({ mutations }, resolver)).results)).toEqual(['applied', 'applied', 'applied']);
});
