/** Requests that are nearly right, and wrong in ways nobody thought of. */
import { type Json, jsonEquals } from '@objectql/sync-types';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { create, mutation, setUp } from './sync-handler.fixture.js';
import { SyncRequestError } from './sync-request-error.js';

const odd = fc.oneof(
  fc.constantFrom<unknown>(null, undefined, '', '\u0000', '\ud800', '__proto__', 'constructor', [], {}, true),
  fc.constantFrom<unknown>(-1, 0, 1.5, 2 ** 53, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e308),
  fc.constantFrom<unknown>(JSON.parse('{"__proto__":{"polluted":1}}'), { toString: 1 }, { length: 9 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.json({ maxDepth: 3 }).map((text): unknown => JSON.parse(text)),
);
/** A way through a request, and what is put at its end; where the way ends early, there. */
const spoils = fc.record({ path: fc.array(fc.nat(12), { minLength: 1, maxLength: 4 }), value: odd });

it('answers each mutation of a spoilt push, or refuses the push, and keeps a feed that everybody can read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(spoils, { minLength: 1, maxLength: 4 }), async (chosen) => {
      const { handler, pull, warnings } = setUp();
      const request = spoilt(valid(), chosen);
      const answer = await handler.handlePush(request).catch((error: unknown) => error);
      if (answer instanceof Error) {
        expect(answer).toBeInstanceOf(SyncRequestError);
        expect([400, 413]).toContain((answer as SyncRequestError).status);
      } else {
        expect(answer).toMatchObject({ results: expect.any(Array), protocol: 2 });
        const { results } = answer as Awaited<ReturnType<typeof handler.handlePush>>;
        expect(results.length).toBe((request as { mutations: unknown[] }).mutations.length);
        // INTERNAL would be a failure of ours, and the client would send it for ever.
        expect(results.filter((result) => result.status === 'rejected' && result.code === 'INTERNAL')).toEqual([]);
      }
      expect(warnings.filter(({ code }) => code === 'WRITE_FAILED')).toEqual([]);
      const page = await pull();
      // A record id of -0 is one of 0 to all who read it.
      expect(jsonEquals(JSON.parse(JSON.stringify(page)), page as unknown as Json)).toBe(true);
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    }),
    { numRuns: 600 },
  );
});

it('takes the mutations beside a spoilt one as if it were not there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(spoils, { minLength: 1, maxLength: 3 }), async (chosen) => {
      const { handler } = setUp();
      const [first, spoiltOne, last] = valid().mutations;
      const mutations = [first, spoilt(spoiltOne, chosen), last];
      const { results } = await handler.handlePush({ ...valid(), mutations });
      const others = [results[0], results[2]].map((result) => result?.status === 'rejected' && result.code);
      // The spoilt one may have come by the id or the sequence of a neighbour, which then is refused for it.
      expect(others.filter((code) => code !== false && code !== 'INVALID' && code !== 'ID_REUSED')).toEqual([]);
      expect(results.map((result) => result.mutationId)[0]).toBe('first');
    }),
    { numRuns: 300 },
  );
});

/** A push that is right in every way. */
function valid() {
  return {
    clientId: 'a',
    logId: 'log-a',
    protocol: 2,
    lastCheckpoint: null,
    limit: 10,
    objects: ['task', 'note'],
    sentAt: '2026-03-01T12:00:00.000Z',
    mutations: [
      create({ title: 'x', tags: ['a', { b: 1 }] }, { id: 'first', recordId: 'r1', sequence: 1 }),
      create({ n: 1, nested: { deep: { deeper: null } } }, { id: 'second', recordId: 2, sequence: 2 }),
      mutation({ id: 'third', recordId: 'r1', sequence: 3, data: { title: 'y' } }),
    ],
  };
}

/** A copy with each spoil's value at the end of its way: replaced, added under a new key, or removed. */
function spoilt(
  value: unknown,
  chosen: readonly { readonly path: readonly number[]; readonly value: unknown }[],
): unknown {
  return chosen.reduce((spoiling, { path, value: end }) => put(spoiling, path, end), value);
}

function put(value: unknown, [step, ...rest]: readonly number[], end: unknown): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return end;
  if (Array.isArray(value)) {
    const index = step % (value.length + 1);
    return Object.assign([...value], { [index]: put(value[index], rest, end) });
  }
  const keys = [...Object.keys(value), 'surplus'];
  const key = keys[step % keys.length] ?? 'surplus';
  const next = put((value as Record<string, unknown>)[key], rest, end);
  const copy = Object.entries(value).filter(([name]) => name !== key);
  return Object.fromEntries(next === undefined ? copy : [...copy, [key, next]]);
}
