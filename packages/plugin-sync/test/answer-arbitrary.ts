/** Random answers for property tests: sound ones of every kind, and sound ones with something changed. */
import { findJsonProblem, type Json, MAX_JSON_DEPTH, type SyncPushResponse } from '@objectql/sync-types';
import fc from 'fast-check';

const idArbitrary = fc.oneof(fc.uuid({ version: 7 }), fc.constantFrom('constructor', 'ü:1', "it's"));
const textArbitrary = fc.oneof(fc.string(), fc.constantFrom('title', 'constructor', 'toString'));
const counterArbitrary = fc.oneof(fc.nat(20), fc.nat({ max: Number.MAX_SAFE_INTEGER }));
const recordIdArbitrary = fc.oneof(idArbitrary, fc.integer());
const operationArbitrary = fc.constantFrom('create' as const, 'update' as const);
const textsArbitrary = fc.array(textArbitrary, { maxLength: 3 });

const instantArbitrary = fc.oneof(
  fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }).map((date) => date.toISOString()),
  fc.constantFrom('2024-02-29T23:59:59Z', '2026-01-31T00:00:00.123456+05:30', '0000-02-29T00:00:00-23:59'),
);

const dataArbitrary = fc
  .dictionary(textArbitrary, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4, noNullPrototype: true })
  .map((data) => JSON.parse(JSON.stringify(data)))
  .filter((data) => findJsonProblem(data, { maxDepth: MAX_JSON_DEPTH }) === undefined);

const stampArbitrary = fc.record({ time: fc.nat(), logId: textArbitrary, sequence: fc.nat() });

const mutationArbitrary = fc
  .record(
    {
      id: idArbitrary,
      objectName: idArbitrary,
      recordId: recordIdArbitrary,
      operation: operationArbitrary,
      data: dataArbitrary,
      timestamp: instantArbitrary,
      clientId: idArbitrary,
      sequence: fc.integer({ min: 1 }),
      baseVersion: fc.option(counterArbitrary),
    },
    { requiredKeys: ['id', 'objectName', 'recordId', 'operation', 'timestamp', 'clientId', 'sequence', 'baseVersion'] },
  )
  .chain((mutation) => fc.constantFrom(mutation, withoutData({ ...mutation, operation: 'delete' as const })));

const conflictArbitrary = fc.record(
  {
    objectName: textArbitrary,
    recordId: recordIdArbitrary,
    clientMutation: mutationArbitrary,
    serverRecord: fc.option(dataArbitrary),
    conflictingFields: textsArbitrary,
    suggestedResolution: dataArbitrary,
    kind: fc.constantFrom('update-update', 'create-create', 'update-delete', 'delete-update', 'stale-incarnation'),
    serverVersion: counterArbitrary,
    strategy: fc.constantFrom('last-write-wins', 'crdt', 'manual', 'custom'),
    conflictFields: textsArbitrary,
    clientStamp: stampArbitrary,
    serverStamps: fc.dictionary(textArbitrary, stampArbitrary, { maxKeys: 3, noNullPrototype: true }),
    deletedStamp: stampArbitrary,
  },
  { requiredKeys: ['objectName', 'recordId', 'clientMutation', 'serverRecord', 'conflictingFields'] },
);

const resultArbitrary = fc.oneof(
  fc.record(
    {
      status: fc.constant('applied'),
      duplicate: fc.boolean(),
      serverVersion: counterArbitrary,
      record: fc.option(dataArbitrary),
      droppedFields: textsArbitrary,
    },
    { requiredKeys: ['status', 'serverVersion'] },
  ),
  fc.record({ status: fc.constant('conflict'), conflict: conflictArbitrary }),
  fc.record(
    {
      status: fc.constant('rejected'),
      reason: textArbitrary,
      code: fc.constantFrom('INVALID', 'FORBIDDEN', 'BUSY', 'BATCH_TOO_LARGE', 'OF_A_LATER_VERSION'),
      retryable: fc.boolean(),
      retryAfterMs: fc.nat(),
    },
    { requiredKeys: ['status', 'reason'] },
  ),
);

const changeArbitrary = fc
  .record(
    {
      objectName: textArbitrary,
      recordId: recordIdArbitrary,
      operation: operationArbitrary,
      data: dataArbitrary,
      serverVersion: counterArbitrary,
      timestamp: instantArbitrary,
      origin: fc.record({ logId: textArbitrary, mutationId: textArbitrary, sequence: counterArbitrary }),
    },
    { requiredKeys: ['objectName', 'recordId', 'operation', 'data', 'serverVersion', 'timestamp'] },
  )
  .chain((change) => fc.constantFrom(change, withoutData({ ...change, operation: 'delete' as const })));

/** An answer and the ids of the mutations it is about, in the order they were sent. */
export interface AnswerCase {
  readonly answer: SyncPushResponse;
  readonly sentIds: readonly string[];
}

/** Complete answers: with ids in any order, as protocol 2 has them, or without, as protocol 1. */
export const answerArbitrary: fc.Arbitrary<AnswerCase> = fc
  .record(
    {
      results: fc.array(resultArbitrary, { maxLength: 4 }),
      serverChanges: fc.array(changeArbitrary, { maxLength: 3 }),
      checkpoint: textArbitrary,
      protocol: fc.constant(2),
      hasMore: fc.boolean(),
      serverTime: instantArbitrary,
      limits: fc.record({ maxBodyBytes: counterArbitrary, maxMutations: counterArbitrary }),
      reset: fc.constantFrom('expired', 'epoch', 'scope'),
    },
    { requiredKeys: ['results', 'serverChanges', 'checkpoint'] },
  )
  .chain((answer) => {
    const sentIds = answer.results.map((_, index) => `mutation-${index}`);
    const named = answer.results.map((result, index) => ({ ...result, mutationId: `mutation-${index}` }));
    const shuffled = fc.shuffledSubarray(named, { minLength: named.length });
    const results = fc.oneof(shuffled, fc.constant(answer.results));
    // The arbitraries above make what the type describes; their own types are wider.
    return results.map((chosen) => ({ sentIds, answer: { ...answer, results: chosen } as SyncPushResponse }));
  });

/** Answers that were sound before one place in them was removed, replaced or given another property. */
export const changedAnswerArbitrary: fc.Arbitrary<{ readonly answer: Json; readonly sentIds: readonly string[] }> = fc
  .tuple(answerArbitrary, fc.nat(), fc.constantFrom('remove', 'replace', 'add'), wildValue())
  .map(([{ answer, sentIds }, place, how, value]) => {
    const json = JSON.parse(JSON.stringify(answer));
    const places = listPlaces(json, []);
    const path = places[place % places.length] ?? [];
    return { answer: changedAt(json, path, { how, value }), sentIds };
  });

function wildValue(): fc.Arbitrary<Json> {
  const telling = [
    null,
    '',
    0,
    -1,
    1.5,
    2 ** 53,
    true,
    [],
    {},
    '2026-02-30T00:00:00Z',
    '2026-01-01',
    '\u0000',
    'x'.repeat(129),
  ];
  // fast-check's JSON values have the shape of ours.
  return fc.oneof(fc.constantFrom(...telling), fc.jsonValue({ maxDepth: 1 })) as fc.Arbitrary<Json>;
}

type Path = readonly (string | number)[];

/** The paths to everything inside of a JSON value. */
function listPlaces(value: unknown, path: Path): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [path, ...keys.flatMap((key) => listPlaces(Reflect.get(value, key), [...path, key]))];
}

function changedAt(json: Json, path: Path, change: { readonly how: string; readonly value: Json }): Json {
  const [key, ...rest] = path;
  if (key === undefined) return change.how === 'add' ? extended(json, change.value) : change.value;
  if (typeof json !== 'object' || json === null) return json;
  const copy = Array.isArray(json) ? [...json] : { ...json };
  if (rest.length === 0 && change.how === 'remove') {
    if (Array.isArray(copy)) copy.splice(Number(key), 1);
    else Reflect.deleteProperty(copy, key);
    return copy;
  }
  Reflect.set(copy, key, changedAt(Reflect.get(copy, key), rest, change));
  return copy;
}

function extended(json: Json, value: Json): Json {
  if (Array.isArray(json)) return [...json, value];
  return typeof json === 'object' && json !== null ? { ...json, unheardOf: value } : json;
}

function withoutData<T extends { readonly data?: unknown }>(value: T): Omit<T, 'data'> {
  const { data, ...rest } = value;
  return rest;
}
