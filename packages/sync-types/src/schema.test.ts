/** The wire as it is committed: messages in `golden/`, which both sides' tests read, and every schema's shape. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import type {
  MutationLogEntry,
  SyncMutationResult,
  SyncPullRequest,
  SyncPushRequest,
  SyncPushResponse,
  SyncServerChange,
} from './index.js';
import * as schemas from './schema.js';
import {
  conflictKindSchema,
  errorBodySchema,
  mutationLogEntrySchema,
  rejectionCodeSchema,
  requestErrorCodeSchema,
  resetSchema,
  type syncMutationResultSchema,
  syncPokeSchema,
  syncPullRequestSchema,
  syncPushRequestSchema,
  syncPushResponseSchema,
  type syncServerChangeSchema,
} from './schema.js';

const GOLDEN = new URL('../golden/', import.meta.url);

/** The schema of the messages in each folder of `golden/`. */
const SCHEMA_BY_FOLDER = {
  error: errorBodySchema,
  poke: syncPokeSchema,
  'pull-request': syncPullRequestSchema,
  'push-request': syncPushRequestSchema.unwrap().extend({ mutations: z.array(mutationLogEntrySchema) }),
  'push-response': syncPushResponseSchema,
} satisfies Record<string, z.ZodType>;

const messages = Object.entries(SCHEMA_BY_FOLDER).flatMap(([folder, schema]) =>
  readdirSync(new URL(`${folder}/`, GOLDEN)).map((file) => ({
    name: `${folder}/${file}`,
    schema,
    content: JSON.parse(readFileSync(new URL(`${folder}/${file}`, GOLDEN), 'utf8')) as unknown,
  })),
);

describe('golden messages', () => {
  test('stand in the folders whose schema is known', () => {
    expect(readdirSync(GOLDEN).toSorted()).toEqual(Object.keys(SCHEMA_BY_FOLDER).toSorted());
  });

  for (const { name, schema, content } of messages) {
    test(`${name} is read and written again unchanged`, () => {
      expect(JSON.parse(JSON.stringify(schema.parse(content)))).toEqual(content);
    });
  }

  test('show every status, kind of conflict, strategy, code and reset at least once', () => {
    const seen = new Set(messages.flatMap(({ content }) => texts(content)));
    const all = [
      ...['applied', 'conflict', 'rejected', 'create', 'update', 'delete'],
      ...['last-write-wins', 'manual', 'custom'],
      ...conflictKindSchema.options,
      ...rejectionCodeSchema.options,
      ...requestErrorCodeSchema.options,
      ...resetSchema.options,
    ];
    expect(all.filter((value) => !seen.has(value))).toEqual([]);
  });
});

// The compiler compares them: nothing is left for the test to do when it runs.
test('the types, written out for the sake of their docstrings, say what the schemas take', () => {
  expectTypeOf<z.infer<typeof mutationLogEntrySchema>>().toEqualTypeOf<MutationLogEntry>();
  expectTypeOf<z.infer<typeof syncPullRequestSchema>>().toEqualTypeOf<SyncPullRequest>();
  expectTypeOf<Omit<z.infer<typeof syncPushRequestSchema>, 'mutations'>>().toEqualTypeOf<
    Omit<SyncPushRequest, 'mutations'>
  >();
  expectTypeOf<z.infer<typeof syncMutationResultSchema>>().toEqualTypeOf<SyncMutationResult>();
  expectTypeOf<z.infer<typeof syncServerChangeSchema>>().toEqualTypeOf<SyncServerChange>();
  expectTypeOf<z.infer<typeof syncPushResponseSchema>>().toEqualTypeOf<SyncPushResponse>();
});

test('the shape of every message is the committed one', async () => {
  const { isMutationLogEntry: _, ...all } = schemas;
  const shapes = Object.fromEntries(
    Object.entries(all).map(([name, schema]) => [
      name,
      z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }),
    ]),
  );
  await expect(
    `${JSON.stringify(shapes, null, 2)}\n`,
    'The wire changed. A peer of the last release must still be understood: add optional fields only, or raise the ' +
      'protocol number. If the change is meant, write a changeset and a golden message for it, then run vitest with -u.',
  ).toMatchFileSnapshot('../golden.schema.json');
});

function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}
