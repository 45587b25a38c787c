import type { Json, JsonObject } from '@objectql/sync-types';
import { jsonEquals } from '@objectql/sync-types';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mutation } from '../sync-handler.fixture.js';
import { contentHash } from './content-hash.js';

const datas = fc
  .dictionary(fc.string({ maxLength: 4 }), fc.jsonValue({ maxDepth: 3 }))
  .map((data) => data as JsonObject);

describe('the hash of what a mutation says', () => {
  test('is the same in whatever order fields stand, at every depth', () => {
    fc.assert(
      fc.property(datas, (data) => {
        expect(hashOf(reversed(data) as JsonObject)).toBe(hashOf(data));
      }),
    );
  });

  test('differs where the data differs', () => {
    fc.assert(
      fc.property(datas, datas, (one, other) => {
        expect(hashOf(one) === hashOf(other)).toBe(jsonEquals(one, other));
      }),
    );
  });

  test('differs for a hundred thousand records that differ in a digit', () => {
    const hashes = new Set(Array.from({ length: 100_000 }, (_, n) => hashOf({ title: `task ${n}`, done: false })));
    expect(hashes.size).toBe(100_000);
  });

  test('tells apart what a joined text would not', () => {
    const alike: readonly JsonObject[] = [
      { a: '1' },
      { a: 1 },
      { a: [1] },
      { a: [[1]] },
      { a: null },
      { a: 'null' },
      { a: {} },
      { a: [] },
      { a: '' },
      { a: true },
      { a: false },
      { a: ['b', 'c'] },
      { a: ['bc', ''] },
      { a: ['', 'bc'] },
      { a: 'b', c: 'd' },
      { a: 'd', c: 'b' },
      { ab: '', c: 'd' },
    ];
    expect(new Set(alike.map(hashOf)).size).toBe(alike.length);
    const names = [{ recordId: 1 }, { recordId: '1' }, { objectName: 'note' }, { operation: 'create' as const }];
    expect(new Set(names.map((parts) => contentHash(mutation(parts), null))).size).toBe(names.length);
  });

  test('never changes, or retries across an upgrade would be refused', () => {
    const named = mutation({ objectName: 'task', recordId: 't1', operation: 'update' });
    const datas: readonly JsonObject[] = [
      {},
      { title: 'Grüße 𝄞', n: [1.5, -1, null, true] },
      { a: { b: {} }, c: 1e300 },
    ];
    expect(datas.map((data) => contentHash({ ...named, data }, null))).toEqual([
      875204999745973, 6330495777445323, 6499576120806625,
    ]);
  });

  test('says nothing of log, sequence, base and time', () => {
    const sent = mutation({ data: { title: 'x' } });
    const again = { ...sent, sequence: 9, baseVersion: 7, timestamp: '2027-01-01T00:00:00.000Z', clientId: 'other' };
    expect(contentHash(again, null)).toBe(contentHash(sent, null));
  });
});

function hashOf(data: JsonObject): number {
  return contentHash(mutation({ data }), null);
}

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, reversed(part)] as const);
  return Object.fromEntries(entries.reverse());
}
