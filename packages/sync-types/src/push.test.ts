import { describe, expect, test } from 'vitest';
import { syncPushRequestSchema, syncPushResponseSchema } from './push.js';

const REQUEST = { clientId: 'device-abc-123', mutations: [], lastCheckpoint: null };
const RESPONSE = { results: [], serverChanges: [], checkpoint: 'f3c1a9.1208' };

describe('a push request', () => {
  test('is read whatever its mutations are, for each is judged by itself', () => {
    const request = { ...REQUEST, mutations: [null, 'nonsense', { id: 7 }] };
    expect(syncPushRequestSchema.parse(request)).toEqual(request);
  });

  test('is refused when the envelope itself is malformed', () => {
    const malformed: readonly unknown[] = [
      { ...REQUEST, clientId: undefined },
      { ...REQUEST, mutations: {} },
      { ...REQUEST, lastCheckpoint: undefined },
      { ...REQUEST, lastCheckpoint: 'x'.repeat(1025) },
      { ...REQUEST, protocol: 3 },
      { ...REQUEST, logId: '' },
      { ...REQUEST, limit: 0 },
      { ...REQUEST, objects: ['task', 7] },
      { ...REQUEST, cursor: 'x' },
      [REQUEST],
      null,
    ];
    expect(malformed.filter((request) => syncPushRequestSchema.safeParse(request).success)).toEqual([]);
  });
});

describe('a push response', () => {
  test('is read without what a newer server adds', () => {
    const newer = { ...RESPONSE, hint: 'new', results: [{ status: 'applied', serverVersion: 1, cost: 3 }] };
    expect(syncPushResponseSchema.parse(newer)).toEqual({
      ...RESPONSE,
      results: [{ status: 'applied', serverVersion: 1 }],
    });
  });

  test('is refused when an outcome is none of the known ones', () => {
    const unknown = [
      { status: 'postponed' },
      { status: 'applied' },
      { status: 'rejected' },
      { serverVersion: 1 },
      null,
    ];
    const accepted = unknown.filter(
      (result) => syncPushResponseSchema.safeParse({ ...RESPONSE, results: [result] }).success,
    );
    expect(accepted).toEqual([]);
  });
});
