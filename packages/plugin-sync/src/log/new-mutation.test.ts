import { expect, test } from 'vitest';
import { checkNewMutation, type NewMutation } from './new-mutation.js';

const sound: NewMutation = {
  objectName: 'task',
  recordId: 't1',
  operation: 'update',
  data: { title: 'x' },
  baseVersion: 3,
};

function problemOf(change: object): string {
  try {
    // The cast hands in what JavaScript callers hand in.
    checkNewMutation({ ...sound, ...change } as NewMutation);
    return 'none';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('takes an own, deeply frozen copy of the data', () => {
  const data = { title: 'x', tags: ['a'] };
  const checked = checkNewMutation({ ...sound, data });
  data.tags.push('b');
  expect(checked.data).toEqual({ title: 'x', tags: ['a'] });
  expect([Object.isFrozen(checked.data), Object.isFrozen(checked.data?.tags)]).toEqual([true, true]);
});

test('keeps every field name and leaves nothing out', () => {
  const data = JSON.parse('{"constructor": 1, "toString": null, "": "", "a.b": {"length": 2}}');
  expect(JSON.stringify(checkNewMutation({ ...sound, data }).data)).toBe(JSON.stringify(data));
});

test('names the place of what cannot be stored', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const cases: Record<string, object> = {
    date: { data: { due: { at: new Date(0) } } },
    'not a number': { data: { tags: [1, Number.NaN] } },
    bigint: { data: { size: 1n } },
    undefined: { data: { title: undefined } },
    function: { data: { title: () => 'x' } },
    cycle: { data: cyclic },
    nul: { data: { title: 'a\u0000' } },
    surrogate: { data: { title: '\ud800' } },
    list: { data: [1] },
    nothing: { data: null },
  };
  expect(Object.fromEntries(Object.entries(cases).map(([name, change]) => [name, problemOf(change)]))).toEqual({
    date: 'The mutation was not recorded: data.due.at is a Date, which JSON cannot keep unchanged.',
    'not a number': 'The mutation was not recorded: data.tags[1] is NaN, which JSON cannot keep unchanged.',
    bigint: 'The mutation was not recorded: data.size is a bigint, which JSON cannot keep unchanged.',
    undefined: 'The mutation was not recorded: data.title is undefined, which JSON cannot keep unchanged.',
    function: 'The mutation was not recorded: data.title is a function, which JSON cannot keep unchanged.',
    cycle: expect.stringMatching(/nested too deep, or refers to itself/),
    nul: 'The mutation was not recorded: data.title is a text with NUL or half a surrogate pair, which JSON cannot keep unchanged.',
    surrogate:
      'The mutation was not recorded: data.title is a text with NUL or half a surrogate pair, which JSON cannot keep unchanged.',
    list: 'The mutation was not recorded: data must be an object.',
    nothing: 'The mutation was not recorded: data must be an object.',
  });
});

test('refuses a sparse list at its first hole, however long it is', () => {
  const list: unknown[] = [1];
  list[2 ** 31] = 1;
  expect(problemOf({ data: { list } })).toBe(
    'The mutation was not recorded: data.list[1] is undefined, which JSON cannot keep unchanged.',
  );
});

test('refuses what the protocol has no room for', () => {
  const cases: Record<string, object> = {
    'no object': { objectName: '' },
    'object too long': { objectName: 'x'.repeat(129) },
    'id too long': { recordId: 'é'.repeat(65) },
    'empty id': { recordId: '' },
    'id that is no integer': { recordId: 1.5 },
    'id of another kind': { recordId: { id: 1 } },
    operation: { operation: 'upsert' },
    'base below 0': { baseVersion: -1 },
    'no base': { baseVersion: undefined },
    'too many fields': { data: Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`f${index}`, 1])) },
    'too large': { data: { text: 'x'.repeat(256 * 1024) } },
    'delete with data': { operation: 'delete' },
  };
  expect(Object.fromEntries(Object.entries(cases).map(([name, change]) => [name, problemOf(change)]))).toEqual({
    'no object':
      'The mutation was not recorded: objectName must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
    'object too long':
      'The mutation was not recorded: objectName must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
    'id too long':
      'The mutation was not recorded: recordId must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
    'empty id':
      'The mutation was not recorded: recordId must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
    'id that is no integer':
      'The mutation was not recorded: recordId must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
    'id of another kind':
      'The mutation was not recorded: recordId must be a text of 1 to 128 bytes without NUL or half a surrogate pair.',
    operation: 'The mutation was not recorded: operation must be one of create, update, delete.',
    'base below 0': 'The mutation was not recorded: baseVersion must be a whole number from 0, or null.',
    'no base': 'The mutation was not recorded: baseVersion is missing; it must be a whole number from 0, or null.',
    'too many fields': 'The mutation was not recorded: data has more than 1000 fields.',
    'too large': 'The mutation was not recorded: data is 262155 bytes large; 262144 are the most.',
    'delete with data': 'The mutation was not recorded: it is a delete and carries data.',
  });
});

test('takes ids that are numbers, and deletes without data', () => {
  expect(checkNewMutation({ objectName: 'task', recordId: 7, operation: 'delete', baseVersion: null })).toEqual({
    objectName: 'task',
    recordId: 7,
    operation: 'delete',
    baseVersion: null,
  });
});
