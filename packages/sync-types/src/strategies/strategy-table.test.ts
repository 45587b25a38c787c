/** Every strategy against every kind of conflict, as a table: the compiler demands each cell. */
import { describe, expect, test } from 'vitest';
import type { ConflictKind, WriteStamp } from '../conflict.js';
import { findStrategy } from './find-strategy.js';
import type { Contest, Verdict } from './strategy.js';
import type { StrategyName } from './strategy-name.js';

/** Who wrote last: the mutation, or the server's present value or delete. */
type Later = 'mine' | 'theirs';
type Verdicts = Readonly<Record<Later, Verdict>>;

const ask: Verdict = { do: 'ask' };
const keep: Verdict = { do: 'keep' };
const write: Verdict = { do: 'apply', drop: [] };
const dropped = (...drop: readonly string[]): Verdict => ({ do: 'apply', drop });
const always = (verdict: Verdict): Verdicts => ({ mine: verdict, theirs: verdict });

/** `title` and `status` are contested; no conflict fields are declared. */
const UNDECLARED: Readonly<Record<StrategyName, Readonly<Record<ConflictKind, Verdicts>>>> = {
  'last-write-wins': {
    'update-update': { mine: write, theirs: dropped('title', 'status') },
    'create-create': { mine: write, theirs: dropped('title', 'status') },
    'update-delete': { mine: write, theirs: keep },
    'delete-update': { mine: write, theirs: keep },
    'stale-incarnation': always(ask),
  },
  crdt: {
    'update-update': always(dropped('title', 'status')),
    'create-create': always(dropped('title', 'status')),
    'update-delete': always(keep),
    'delete-update': always(keep),
    'stale-incarnation': always(keep),
  },
  manual: {
    'update-update': always(ask),
    'create-create': always(ask),
    'update-delete': always(ask),
    'delete-update': always(ask),
    'stale-incarnation': always(ask),
  },
};

/** The same contests with `title` declared: `title` counts, `status` goes by time. */
const TITLE_DECLARED: typeof UNDECLARED = {
  'last-write-wins': {
    'update-update': always(ask),
    'create-create': always(ask),
    'update-delete': always(ask),
    'delete-update': always(ask),
    'stale-incarnation': always(ask),
  },
  crdt: {
    'update-update': { mine: dropped('title'), theirs: dropped('title', 'status') },
    'create-create': { mine: dropped('title'), theirs: dropped('title', 'status') },
    'update-delete': always(keep),
    'delete-update': always(keep),
    'stale-incarnation': always(keep),
  },
  manual: UNDECLARED.manual,
};

/** The same contests with a field declared that nobody touched: all goes by time, except what needs a person. */
const OTHER_DECLARED: typeof UNDECLARED = {
  'last-write-wins': UNDECLARED['last-write-wins'],
  crdt: {
    'update-update': { mine: write, theirs: dropped('title', 'status') },
    'create-create': { mine: write, theirs: dropped('title', 'status') },
    'update-delete': always(keep),
    'delete-update': { mine: write, theirs: keep },
    'stale-incarnation': always(keep),
  },
  manual: {
    'update-update': { mine: write, theirs: dropped('title', 'status') },
    'create-create': { mine: write, theirs: dropped('title', 'status') },
    'update-delete': always(ask),
    'delete-update': { mine: write, theirs: keep },
    'stale-incarnation': always(ask),
  },
};

const TABLES = [
  { when: 'no conflict fields are declared', conflictFields: undefined, table: UNDECLARED },
  { when: 'a contested field is declared', conflictFields: ['title'], table: TITLE_DECLARED },
  { when: 'only an untouched field is declared', conflictFields: ['budget'], table: OTHER_DECLARED },
];

for (const { when, conflictFields, table } of TABLES) {
  describe(`when ${when}`, () => {
    for (const [name, row] of entries(table)) {
      for (const [kind, verdicts] of entries(row)) {
        test(`${name} decides ${kind} as the table says, whoever wrote last`, () => {
          const decide = findStrategy(name);
          const decided: Verdicts = {
            mine: decide(contest({ kind, conflictFields, later: 'mine' })),
            theirs: decide(contest({ kind, conflictFields, later: 'theirs' })),
          };
          expect(decided).toEqual(verdicts);
        });
      }
    }
  });
}

test('last-write-wins decides each field by its own write', () => {
  const mine = contest({ kind: 'update-update', conflictFields: undefined, later: 'mine' });
  const mixed: Contest = {
    ...mine,
    theirs: { ...mine.theirs, stamps: { title: stamp(100), status: stamp(300) } },
  };
  expect(findStrategy('last-write-wins')(mixed)).toEqual(dropped('status'));
});

test('a write without a stamp, from a server that sends none, loses to the mutation', () => {
  const { theirs, ...rest } = contest({ kind: 'update-update', conflictFields: undefined, later: 'theirs' });
  const unstamped: Contest = { ...rest, theirs: { record: theirs.record, stamps: {} } };
  expect(findStrategy('last-write-wins')(unstamped)).toEqual(write);
});

interface Situation {
  readonly kind: ConflictKind;
  readonly conflictFields: readonly string[] | undefined;
  readonly later: Later;
}

function contest({ kind, conflictFields, later }: Situation): Contest {
  const theirs = stamp(later === 'theirs' ? 300 : 100);
  const isDelete = kind === 'delete-update';
  return {
    objectName: 'task',
    recordId: 'task-1',
    kind,
    mine: {
      operation: isDelete ? 'delete' : kind === 'create-create' ? 'create' : 'update',
      data: isDelete ? {} : { title: 'Mine', status: 'mine', note: 'uncontested' },
      stamp: { time: 200, logId: 'log-me', sequence: 1 },
    },
    theirs: {
      record: kind === 'update-delete' ? null : { title: 'Theirs', status: 'theirs' },
      stamps: kind === 'update-delete' ? {} : { title: theirs, status: theirs },
      deleted: kind === 'update-delete' ? theirs : undefined,
    },
    fields: ['title', 'status'],
    conflictFields,
  };
}

function stamp(time: number): WriteStamp {
  return { time, logId: 'log-them', sequence: 1 };
}

/** `Object.entries`, which otherwise forgets the type of the keys. */
function entries<Key extends string, Value>(record: Readonly<Record<Key, Value>>): readonly (readonly [Key, Value])[] {
  return Object.entries(record) as [Key, Value][];
}
