import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isMutationLogEntry, mutationLogEntrySchema, recordDataSchema } from './mutation.js';

const ENTRY = {
  id: '019311f4-7000-7000-8000-000000000001',
  objectName: 'task',
  recordId: 'task-1',
  operation: 'update',
  data: { status: 'completed' },
  timestamp: '2026-11-23T10:15:00.000Z',
  clientId: 'device-abc-123',
  sequence: 1,
  baseVersion: 3,
};

test('a mutation is read as it stands', () => {
  const { data: _data, ...withoutData } = ENTRY;
  const entries = [
    ENTRY,
    { ...ENTRY, operation: 'create', baseVersion: null },
    { ...withoutData, operation: 'delete' },
    { ...ENTRY, operation: 'delete', data: undefined },
    { ...ENTRY, firstLogId: '019311f4-6e2a-4c1b-9a57-2f6d8c0e4b11' },
    { ...ENTRY, timestamp: '2026-11-23T12:15:00+02:00' },
  ];
  expect(entries.map((entry) => mutationLogEntrySchema.parse(entry))).toEqual(entries);
  expect(entries.filter(isMutationLogEntry)).toEqual(entries);
});

test('a malformed mutation is refused where it is malformed', () => {
  const malformed: readonly unknown[] = [
    { ...ENTRY, id: '' },
    { ...ENTRY, recordId: 1.5 },
    { ...ENTRY, operation: 'upsert' },
    { ...ENTRY, operation: 'delete' },
    { ...ENTRY, data: [] },
    { ...ENTRY, sequence: 0 },
    { ...ENTRY, baseVersion: -1 },
    { ...ENTRY, baseVersion: undefined },
    { ...ENTRY, timestamp: 'now' },
  ];
  expect(malformed.map((entry) => mutationLogEntrySchema.safeParse(entry).error?.issues[0]?.path)).toEqual([
    ['id'],
    ['recordId'],
    ['operation'],
    ['data'],
    ['data'],
    ['sequence'],
    ['baseVersion'],
    ['baseVersion'],
    ['timestamp'],
  ]);
});

test('a mutation with a key that no side knows is refused, also one named like a prototype', () => {
  const unknown = [
    { ...ENTRY, priority: 1 },
    JSON.parse(`{"__proto__":{"sequence":2},${JSON.stringify(ENTRY).slice(1)}`),
  ];
  expect(unknown.filter((entry) => mutationLogEntrySchema.safeParse(entry).success)).toEqual([]);
});

test('the fast check takes exactly what the schema takes', () => {
  const odd = fc.oneof(
    fc.constantFrom<unknown>(
      undefined,
      null,
      '',
      'x',
      'a\u0000',
      '\ud800',
      'é'.repeat(64),
      'é'.repeat(65),
      'x'.repeat(129),
    ),
    fc.constantFrom<unknown>(-1, 0, -0, 1, 1.5, 2 ** 53 - 1, 2 ** 53, Number.NaN, true, [], {}, { length: 1 }),
    fc.constantFrom<unknown>('create', 'update', 'delete', 'upsert', JSON.parse('{"__proto__":1}'), { a: undefined }),
    fc.constantFrom<unknown>('2026-11-23T10:15:00Z', '2026-02-30T10:15:00Z', '2026-11-23T10:15+02:00', '2026-11-23'),
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    fc.jsonValue({ maxDepth: 3 }),
  );
  const keys = fc.constantFrom(...Object.keys(ENTRY), 'firstLogId', 'surplus', 'constructor');
  const spoils = fc.array(fc.tuple(keys, odd), { maxLength: 3 });
  let taken = 0;
  fc.assert(
    fc.property(spoils, fc.subarray(Object.keys(ENTRY), { maxLength: 1 }), (changed, missing) => {
      const entries = Object.entries({ ...ENTRY, ...Object.fromEntries(changed) });
      const entry: unknown = Object.fromEntries(entries.filter(([key]) => !missing.includes(key)));
      expect(isMutationLogEntry(entry)).toBe(mutationLogEntrySchema.safeParse(entry).success);
      if (isMutationLogEntry(entry)) taken += 1;
    }),
    { numRuns: 2000 },
  );
  expect(taken).toBeGreaterThan(100);
  const others = [null, undefined, 'x', 1, [], [ENTRY], {}, Object.assign([], ENTRY), JSON.parse('{"__proto__":{}}')];
  expect(
    others.filter((value) => isMutationLogEntry(value) || mutationLogEntrySchema.safeParse(value).success),
  ).toEqual([]);
});

test('record data is refused with the place and the reason', () => {
  const tooMany = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`field${index}`, index]));
  const reasons = [null, 'text', [], tooMany, { at: new Date(0) }, JSON.parse('{"a":{"__proto__":1}}')].map(
    (data) => recordDataSchema.safeParse(data).error?.issues[0]?.message,
  );
  expect(reasons).toEqual([
    'must be an object of fields',
    'must be an object of fields',
    'must be an object of fields',
    'may not have more than 1000 fields',
    '$.at is a Date, not a plain object',
    '$.a.__proto__ is a field name that objects cannot carry safely',
  ]);
});

test('record data may have fields named after what objects inherit', () => {
  const data = { constructor: 1, toString: null, hasOwnProperty: 'x' };
  expect(recordDataSchema.parse(data)).toEqual(data);
});
