import { readdirSync, readFileSync } from 'node:fs';
import type { MutationLogEntry, SyncMutationResult, SyncPushResponse } from '@objectql/sync-types';
import { syncPushResponseSchema } from '@objectql/sync-types/schema';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerArbitrary, changedAnswerArbitrary } from '../../test/fixtures/answer-arbitrary.js';
import { parseAnswer } from './parse-answer.js';
import type { TransportError } from './transport.js';
import { claim } from './wire-parser.js';

const GOLDEN = new URL('../../../sync-types/golden/', import.meta.url);
/** The client's own mutation of that id, as it was sent. */
const sentAs = (id: string): MutationLogEntry => ({
  id,
  objectName: 'task',
  recordId: 'task-1',
  operation: 'update',
  data: { title: 'Mine' },
  timestamp: '2026-01-01T00:00:00Z',
  clientId: 'device-1',
  sequence: 1,
  baseVersion: 1,
});
const read = (answer: unknown, sentIds: readonly string[]) => parseAnswer(answer, sentIds.map(sentAs));
const EMPTY = { results: [], serverChanges: [], checkpoint: 'c1' };
const applied = (mutationId?: string) => ({
  status: 'applied',
  serverVersion: 1,
  ...(mutationId ? { mutationId } : {}),
});
const change = (changed: object = {}) => ({
  objectName: 'task',
  recordId: 'task-1',
  operation: 'update',
  data: { title: 'A' },
  serverVersion: 1,
  timestamp: '2026-01-01T00:00:00Z',
  ...changed,
});

function goldenIn(folder: string): readonly { readonly name: string; readonly message: unknown }[] {
  const directory = new URL(`${folder}/`, GOLDEN);
  return readdirSync(directory).map((name) => ({
    name,
    message: JSON.parse(readFileSync(new URL(name, directory), 'utf8')),
  }));
}

/** What JSON makes of it. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function failureOf(answer: unknown, sentIds: readonly string[] = []): TransportError {
  try {
    read(answer, sentIds);
  } catch (error) {
    expect(error).toMatchObject({ name: 'TransportError' });
    // As was just found.
    return error as TransportError;
  }
  throw new Error('The answer was accepted.');
}

/** What it returns, or the message of what it throws. */
function outcomeOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return String(error);
  }
}

function hasFrozen(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && (Object.isFrozen(value) || Object.values(value).some(hasFrozen))
  );
}

/** What makes an answer complete beyond the schema. */
function isComplete(answer: SyncPushResponse, sentIds: readonly string[]): boolean {
  const ids = answer.results.map(({ mutationId }, index) => mutationId ?? sentIds[index]);
  const isMatched = ids.length === sentIds.length && sentIds.every((id) => ids.includes(id));
  const wasNotExecuted = answer.reset === 'epoch' && ids.length === 0;
  return (
    (isMatched || wasNotExecuted) && answer.serverChanges.every(({ operation, data }) => operation === 'delete' || data)
  );
}

describe('parseAnswer', () => {
  for (const { name, message } of goldenIn('push-response')) {
    it(`reads the golden answer ${name}`, () => {
      const answer = syncPushResponseSchema.parse(message);
      const sentIds = answer.results.map(({ mutationId }, index) => mutationId ?? `m${index}`);
      const results = answer.results.map((result, index) => resultFor(sentIds[index] ?? '', result));
      expect(read(message, sentIds)).toEqual({ ...answer, results });
    });
  }

  it('agrees with the schema on sound answers, and puts results in the order of the mutations', () => {
    fc.assert(
      fc.property(answerArbitrary, ({ answer, sentIds }) => {
        const parsed = syncPushResponseSchema.parse(answer);
        const results = sentIds.map((id, index) =>
          resultFor(id, parsed.results.find(({ mutationId }) => mutationId === id) ?? parsed.results[index]),
        );
        expect(read(answer, sentIds)).toEqual({ ...parsed, results });
      }),
    );
  });

  it('accepts of changed answers those that the schema accepts and that are complete, and refuses all others', () => {
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(changedAnswerArbitrary, ({ answer, sentIds }) => {
        const parsed = syncPushResponseSchema.safeParse(withOwnMutations(answer));
        if (parsed.success && isComplete(parsed.data, sentIds)) {
          seen.accepted++;
          // As JSON, which has no -0: a version -0, if any server writes one, counts as 0 everywhere.
          expect(asJson(read(answer, sentIds).serverChanges)).toEqual(asJson(parsed.data.serverChanges));
        } else {
          seen.refused++;
          expect(failureOf(answer, sentIds).failure.type).toBe('unreadable');
        }
      }),
      { numRuns: 1000 },
    );
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(100);
  });

  it('reads what this client has read from a text as it reads a copy, and leaves alone what is anybody else’s', () => {
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof(answerArbitrary, changedAnswerArbitrary), ({ answer, sentIds }) => {
        const text = JSON.stringify(answer);
        const told: unknown = JSON.parse(text);
        const own: unknown = claim(JSON.parse(text));
        const expected = outcomeOf(() => read(told, sentIds));
        seen[typeof expected === 'string' ? 'refused' : 'accepted']++;
        expect(outcomeOf(() => read(own, sentIds))).toEqual(expected);
        expect([JSON.stringify(told), hasFrozen(told)]).toEqual([text, false]);
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(50);
  });

  it('freezes records where they are in what this client has read, and has no zero in them that is negative', () => {
    const text = JSON.stringify({ ...EMPTY, serverChanges: [change({ data: { a: { n: [10, 'x'] } } })] });
    const own = claim(JSON.parse(text.replace('10', '-0')));
    const { data } = own.serverChanges[0];
    const { serverChanges } = read(own, []);
    expect(serverChanges[0]?.data).toBe(data);
    expect(data).toStrictEqual({ a: { n: [0, 'x'] } });
    expect([data, data.a, data.a.n].every((part) => Object.isFrozen(part))).toBe(true);
    // An application's own transport may hand it in again, or freeze it first.
    expect(read(own, []).serverChanges).toEqual(serverChanges);
    const frozen = claim(JSON.parse(text));
    Object.freeze(frozen.serverChanges[0].data.a);
    expect(read(frozen, []).serverChanges[0]?.data).toEqual({ a: { n: [10, 'x'] } });
  });

  it('takes the id -0 for 0, as JSON writes it', () => {
    const { serverChanges } = read({ ...EMPTY, serverChanges: [change({ recordId: -0 })] }, []);
    expect(serverChanges.map(({ recordId }) => recordId)).toEqual([0]);
  });

  it('matches results without ids, as protocol 1 has them, by their order', () => {
    const results = [applied(), { status: 'rejected', reason: 'no' }];
    expect(read({ ...EMPTY, results }, ['m1', 'm2']).results).toEqual([
      { ...applied(), mutationId: 'm1' },
      { status: 'rejected', reason: 'no', mutationId: 'm2' },
    ]);
  });

  it('gives a conflict the mutation as it was sent, whatever the server says of it', () => {
    const told = {
      objectName: 'x',
      recordId: 0,
      clientMutation: null,
      serverRecord: null,
      conflictingFields: ['title'],
    };
    expect(read({ ...EMPTY, results: [{ status: 'conflict', conflict: told }] }, ['m1']).results).toEqual([
      {
        status: 'conflict',
        mutationId: 'm1',
        conflict: {
          objectName: 'task',
          recordId: 'task-1',
          clientMutation: sentAs('m1'),
          serverRecord: null,
          conflictingFields: ['title'],
        },
      },
    ]);
  });

  it('says which side to update where a server speaks a newer protocol, whatever else it answers', () => {
    for (const answer of [
      { ...EMPTY, protocol: 3 },
      { protocol: 3, outcomes: [] },
    ]) {
      const { message, failure } = failureOf(answer);
      expect([message, failure]).toEqual([
        'The server speaks a newer protocol: update this app.',
        { type: 'unreadable' },
      ]);
    }
  });

  it('accepts an epoch reset without results, whatever was sent', () => {
    expect(read({ ...EMPTY, reset: 'epoch' }, ['m1', 'm2'])).toEqual({ ...EMPTY, reset: 'epoch' });
    expect(failureOf({ ...EMPTY, reset: 'expired' }, ['m1']).failure).toEqual({ type: 'unreadable' });
  });

  it('leaves out what the protocol does not name, and optional values that are undefined', () => {
    const answer = {
      ...EMPTY,
      hasMore: undefined,
      version: 9,
      results: [{ ...applied('m1'), record: undefined, note: 'x' }],
      serverChanges: [change({ by: 'ada', origin: undefined })],
    };
    expect(read(answer, ['m1'])).toStrictEqual({
      results: [applied('m1')],
      serverChanges: [change()],
      checkpoint: 'c1',
    });
  });

  for (const { name, message } of goldenIn('error')) {
    it(`tells the refusal of a body that came as if it were an answer, by its code (${name})`, () => {
      const { error } = Object(message);
      const { code, ...wait } = { ...error, message: undefined };
      const refused = failureOf(message);
      expect(refused.message).toBe(error.message);
      expect(refused.failure).toEqual({ type: 'refused', status: expect.any(Number), code, ...wait });
    });
  }

  it('knows the status of each code, and none of a code that is not its own', () => {
    const failure = (error: object) => failureOf({ error }).failure;
    expect(failure({ code: 'UNAUTHENTICATED', message: 'Sign in.' })).toMatchObject({ status: 401 });
    expect(failure({ code: 'TOO_LARGE' })).toMatchObject({ status: 413 });
    expect(failure({ code: 'SOMETHING' })).toEqual({ type: 'refused', status: 0 });
    expect(failure({ code: 'BUSY', retryAfterMs: -1 })).toEqual({ type: 'refused', status: 503, code: 'BUSY' });
  });

  it('says what is wrong, and where, but not what was in it', () => {
    const conflict = { status: 'conflict', conflict: { serverRecord: { at: Number.NaN }, conflictingFields: [] } };
    const cases: readonly [unknown, string][] = [
      ['<html>secret</html>', '$ must be an object'],
      [null, '$ must be an object'],
      [[], '$ must be an object'],
      [{}, '$.results is missing; it must be a list'],
      [{ error: 'secret' }, '$.results is missing; it must be a list'],
      [{ error: null }, '$.results is missing; it must be a list'],
      [{ ...EMPTY, results: [applied('m1')] }, '$ must hold one result for each of the 2 mutations'],
      [{ ...EMPTY, results: [applied()] }, '$ must hold one result for each of the 2 mutations'],
      [{ ...EMPTY, results: [applied(), applied(), applied()] }, '$ must hold one result for each of the 2 mutations'],
      [{ ...EMPTY, results: [applied('secret')] }, '$ must hold one result for each of the 2 mutations'],
      [{ ...EMPTY, results: [applied('m1'), applied('m1')] }, '$ must hold one result for each of the 2 mutations'],
      [{ ...EMPTY, results: [{ status: 'secret' }] }, '$.results[0].status must be one of applied, conflict, rejected'],
      [{ ...EMPTY, results: [{ ...applied(), serverVersion: -1 }] }, '$.results[0].serverVersion must be a whole'],
      [{ ...EMPTY, results: [conflict] }, '$.results[0].conflict.serverRecord.at is NaN'],
      [
        { ...EMPTY, serverChanges: [change({ recordId: '' })] },
        '$.serverChanges[0].recordId must be a text of 1 to 128 bytes',
      ],
      [
        { ...EMPTY, serverChanges: [change({ data: undefined })] },
        '$.serverChanges[0] has no data; only a delete has none',
      ],
      [
        { ...EMPTY, serverChanges: [change({ data: { at: [new Date(0)] } })] },
        '$.serverChanges[0].data.at[0] is a Date',
      ],
      [
        { ...EMPTY, serverChanges: [change({ timestamp: 'secret' })] },
        '$.serverChanges[0].timestamp must be a time like',
      ],
      [{ ...EMPTY, checkpoint: undefined }, '$.checkpoint is missing; it must be a text'],
      [{ ...EMPTY, protocol: 'https' }, '$.protocol must be one of 2'],
    ];
    for (const [answer, message] of cases) {
      const error = failureOf(answer, ['m1', 'm2']);
      expect(error.failure).toEqual({ type: 'unreadable' });
      expect(error.message).toContain(message);
      expect(error.message).not.toContain('secret');
    }
  });

  it('refuses records that are too deep, too wide or would change a prototype', () => {
    const deep = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
    const wide = Object.fromEntries(Array.from({ length: 1001 }, (_, n) => [`f${n}`, n]));
    const polluting = JSON.parse('{"a":{"__proto__":{"isAdmin":true}}}');
    for (const data of [deep, wide, polluting]) {
      expect(failureOf({ ...EMPTY, serverChanges: [change({ data })] }).failure).toEqual({ type: 'unreadable' });
    }
    expect(read({ ...EMPTY, deep }, [])).toEqual(EMPTY);
  });

  it('takes nothing from a prototype, and gives none away', () => {
    expect(failureOf(Object.create(EMPTY)).failure).toEqual({ type: 'unreadable' });
    const answer = read(
      JSON.parse('{"results":[],"serverChanges":[],"checkpoint":"c","__proto__":{"reset":"epoch"}}'),
      [],
    );
    expect(Object.getPrototypeOf(answer)).toBe(Object.prototype);
    expect(answer.reset).toBeUndefined();
  });
});

/** The result with what the parser puts into it: the id, and in a conflict the mutation as it was sent. */
function resultFor(mutationId: string, result: SyncMutationResult | undefined): unknown {
  if (result?.status !== 'conflict') return { ...result, mutationId };
  const clientMutation = sentAs(mutationId);
  return { ...result, mutationId, conflict: { ...result.conflict, ...refOf(clientMutation), clientMutation } };
}

function refOf({ objectName, recordId }: MutationLogEntry) {
  return { objectName, recordId };
}

/** What a server says of the mutation that met a conflict is not read, so a schema must find nothing wrong with it. */
function withOwnMutations(answer: unknown): unknown {
  const clientMutation = sentAs('m1');
  return JSON.parse(JSON.stringify(answer), (key, value) =>
    key === 'conflict' && typeof value === 'object' && value !== null && !Array.isArray(value)
      ? { ...value, ...refOf(clientMutation), clientMutation }
      : value,
  );
}
