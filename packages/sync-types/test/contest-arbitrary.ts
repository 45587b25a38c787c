/** Contests and write stamps for property tests. */
import fc from 'fast-check';
import type { ConflictKind, WriteStamp } from '../src/conflict.js';
import type { Contest } from '../src/strategies/strategy.js';

/** Every kind once; a record, so that the compiler demands each. */
const KINDS: Readonly<Record<ConflictKind, true>> = {
  'update-update': true,
  'create-create': true,
  'update-delete': true,
  'delete-update': true,
  'stale-incarnation': true,
};

// Object.keys forgets that its keys are those of the record.
export const CONFLICT_KINDS = Object.keys(KINDS) as ConflictKind[];

/** Few times and logs, so that ties are common. */
export const writeStamps: fc.Arbitrary<WriteStamp> = fc.record({
  time: fc.nat(5),
  logId: fc.constantFrom('a', 'b', 'c'),
  sequence: fc.integer({ min: 1, max: 4 }),
});

const FIELDS = ['title', 'status', 'assignee', 'constructor'] as const;
const fieldSets = fc.subarray([...FIELDS]);

/** Any contest that a server could state: what is contested is in `fields`, and stamps may be unknown. */
export const contests: fc.Arbitrary<Contest> = fc
  .record({
    kind: fc.constantFrom(...CONFLICT_KINDS),
    fields: fieldSets,
    uncontested: fieldSets,
    stamped: fieldSets,
    conflictFields: fc.option(fieldSets, { nil: undefined }),
    mine: writeStamps,
    theirs: fc.array(writeStamps, { minLength: FIELDS.length, maxLength: FIELDS.length }),
    deleted: fc.option(writeStamps, { nil: undefined }),
  })
  .map(({ kind, fields, uncontested, stamped, conflictFields, mine, theirs, deleted }) => ({
    objectName: 'task',
    recordId: 'task-1',
    kind,
    mine: {
      operation: operationOf(kind),
      data: kind === 'delete-update' ? {} : valuesOf([...fields, ...uncontested], 'mine'),
      stamp: mine,
    },
    theirs: {
      record: kind === 'update-delete' ? null : valuesOf(FIELDS, 'theirs'),
      stamps: Object.fromEntries(
        FIELDS.flatMap((field, index) => {
          const stamp = theirs[index];
          return stamp && stamped.includes(field) ? [[field, stamp]] : [];
        }),
      ),
      deleted: kind === 'update-delete' ? deleted : undefined,
    },
    fields,
    conflictFields,
  }));

function operationOf(kind: ConflictKind): Contest['mine']['operation'] {
  switch (kind) {
    case 'create-create':
      return 'create';
    case 'delete-update':
      return 'delete';
    default:
      return 'update';
  }
}

function valuesOf(fields: readonly string[], value: string): Readonly<Record<string, string>> {
  return Object.fromEntries(fields.map((field) => [field, `${field}, ${value}`]));
}
