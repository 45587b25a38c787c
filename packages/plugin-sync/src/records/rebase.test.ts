import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { BaseRecord, StoredEntry } from '../storage/client-storage.js';
import { isShown, rebase } from './rebase.js';

const REF = { objectName: 'task', recordId: 't1' };
const base: BaseRecord = { ...REF, version: 4, data: { title: 'base', status: 'open' }, walk: null };

function pending(
  operation: 'create' | 'update' | 'delete',
  data?: Readonly<Record<string, string>>,
  more: Partial<StoredEntry> = {},
): StoredEntry {
  const mutation = {
    ...REF,
    id: 'm',
    operation,
    ...(data ? { data } : {}),
    timestamp: '2026-01-01T00:00:00.000Z',
    clientId: 'device-1',
    sequence: 1,
    baseVersion: null,
  };
  return { mutation, round: 0, tries: 0, ...more };
}

test('shows the base where nothing is pending', () => {
  expect(rebase(REF, base, [])).toEqual({ ...REF, data: base.data, version: 4, isPending: false });
});

test('puts pending changes on top of the base, in their order', () => {
  const entries = [pending('update', { title: 'one' }), pending('update', { title: 'two', due: 'now' })];
  expect(rebase(REF, base, entries)).toEqual({
    ...REF,
    data: { title: 'two', status: 'open', due: 'now' },
    version: 4,
    isPending: true,
  });
});

test('shows a record that was created here before the server knows it', () => {
  const entries = [pending('create', { title: 'new' }), pending('update', { status: 'open' })];
  expect(rebase(REF, undefined, entries)).toEqual({
    ...REF,
    data: { title: 'new', status: 'open' },
    version: null,
    isPending: true,
  });
});

test('shows nothing while a delete is pending, and what was created after it', () => {
  expect([
    rebase(REF, base, [pending('delete')]),
    rebase(REF, base, [pending('delete'), pending('create', { title: 'again' })])?.data,
  ]).toEqual([undefined, { title: 'again' }]);
});

test('makes no record of an update to one that is not here', () => {
  expect(rebase(REF, undefined, [pending('update', { title: 'half a record' })])).toBeUndefined();
});

test('keeps showing a record that the server deleted under a pending change', () => {
  const entries = [pending('update', { title: 'mine' }, { copy: { title: 'old', status: 'open' } })];
  expect(rebase(REF, undefined, entries)?.data).toEqual({ title: 'mine', status: 'open' });
});

const data = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.string(), { noNullPrototype: true });
const change = fc.oneof(
  data.map((fields) => pending('create', fields)),
  data.map((fields) => pending('update', fields)),
  data.map((fields) => pending('update', fields, { copy: { a: 'kept' } })),
  fc.constant(pending('delete')),
);

test('is unchanged by settling the first pending change into the base', () => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1 }), ([first, ...rest]) => {
      if (!first) return;
      const settled = rebase(REF, base, [first]);
      const newBase = settled && { ...base, version: 5, data: settled.data };
      expect(rebase(REF, newBase, rest)?.data).toEqual(rebase(REF, base, [first, ...rest])?.data);
    }),
  );
});

test('tells whether a record is seen as making it would', () => {
  fc.assert(
    fc.property(fc.option(fc.constant(base), { nil: undefined }), fc.array(change), (stored, entries) => {
      expect(isShown(stored, entries)).toBe(rebase(REF, stored, entries) !== undefined);
    }),
  );
});
