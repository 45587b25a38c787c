import { expect, it } from 'vitest';
import { RejectionError } from '../records/record-resolver.js';
import { toRejection } from './engine-error.js';

const failure = (fields: object) => Object.assign(new Error('The engine refuses.'), fields);
const unable = 'You may not make this change.';
const unfit = 'The database does not take a value of this change.';

it.each([
  [{ code: 'RECORD_NOT_FOUND', status: 404 }, 'NOT_FOUND', 'There is no such record.'],
  [{ code: 'DUPLICATE_RECORD', status: 409 }, 'VALIDATION', 'The engine refuses.'],
  [{ code: 'DELETE_RESTRICTED', status: 409 }, 'VALIDATION', 'The engine refuses.'],
  [{ code: 'VALIDATION_FAILED', fields: [{ field: 'due' }, null] }, 'VALIDATION', 'The engine refuses.'],
  [{ status: 400 }, 'VALIDATION', 'The engine refuses.'],
  [{ statusCode: 422 }, 'VALIDATION', 'The engine refuses.'],
  [{ innerMessage: 'Mind your words.' }, 'VALIDATION', 'Mind your words.'],
  [{ status: 401 }, 'FORBIDDEN', unable],
  [{ status: 403 }, 'FORBIDDEN', unable],
  [{ statusCode: 403 }, 'FORBIDDEN', unable],
  [{ code: 'PERMISSION_DENIED' }, 'FORBIDDEN', unable],
  [{ code: '22003' }, 'VALIDATION', unfit],
  [{ code: '23502' }, 'VALIDATION', unfit],
])('refuses for good a write of which the engine says %j', (said, code, message) => {
  const rejection = toRejection(failure(said));
  expect(rejection).toBeInstanceOf(RejectionError);
  expect(rejection).toMatchObject({ code, message });
});

it.each([{}, { status: 500 }, { status: 409 }, { code: '40001' }, { code: '23505' }])(
  'leaves to another try a write of which the engine says %j',
  (said) => {
    const error = failure(said);
    expect(toRejection(error)).toBe(error);
  },
);
