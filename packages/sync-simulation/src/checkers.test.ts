/** Each checker can fail: a checker that never does proves nothing. */
import { readdirSync, readFileSync } from 'node:fs';
import { MemoryStore, type RecordState } from '@objectql/protocol-sync';
import type { JsonObject, MutationLogEntry } from '@objectql/sync-types';
import { expect, it } from 'vitest';
import { AppDatabase } from './app-database.js';
import { findMissedChange } from './invariants/checkpoint.js';
import { findDifference, findReplicaDifference } from './invariants/convergence.js';
import { findDisorder } from './invariants/disorder.js';
import { findLostMutation } from './invariants/durability.js';
import { findLostUpdate } from './invariants/lost-update.js';
import { findRenumbered } from './invariants/renumbered.js';
import { findLeak } from './invariants/secrecy.js';
import { findStepBack } from './invariants/step-back.js';
import { Permissions } from './permissions.js';
import { ServerTruth, type TruthParts } from './server-truth.js';
import type { TrueRecord } from './true-record.js';
import { Verdict } from './violation.js';
import { WireWatch } from './wire-watch.js';

const NOW = 1000;
const stamp = { time: NOW, logId: 'log-a', sequence: 1 };
const state: RecordState = {
  objectName: 'task',
  recordId: 'a',
  version: 1,
  born: 1,
  bornBy: stamp,
  data: { title: 'x' },
  deleted: null,
  writes: [{ version: 1, stamp, fields: null }],
  run: { logId: 'log-a', from: 1 },
  changedAt: NOW,
  origin: { logId: 'log-a', mutationId: 'm1', sequence: 1 },
};
const said: MutationLogEntry = {
  id: 'm1',
  objectName: 'task',
  recordId: 'a',
  operation: 'create',
  data: { title: 'x' },
  timestamp: '2026-01-01T00:00:00.000Z',
  clientId: 'client-a',
  sequence: 1,
  baseVersion: null,
};
const row = {
  mutationId: 'm1',
  objectName: 'task',
  recordId: 'a',
  logId: 'log-a',
  sequence: 1,
  contentHash: 0,
  at: NOW,
  outcome: { status: 'applied', version: 1, droppedFields: [] },
} as const;
/** The user's next change of what `said` has made. */
const mine: MutationLogEntry = { ...said, id: 'm2', operation: 'update', data: { title: 'mine' }, sequence: 2 };
const record: TrueRecord = {
  objectName: 'task',
  recordId: 'a',
  version: 2,
  place: 5,
  data: { title: 'u1:7' },
  born: 1,
  bornBy: 'log-b',
  fields: new Map([['title', { version: 2, lineage: 'log-b', sequence: 1, mutationId: 'm9' }]]),
  changedAt: NOW,
};

function truthUnder(verdict: Verdict, parts: Partial<TruthParts> = {}): ServerTruth {
  return new ServerTruth({
    verdict,
    objectOf: () => ({ strategy: 'manual', isKnownToServer: true, conflictFields: null }),
    saidBy: () => said,
    onState: () => {},
    baseOf: () => 0,
    carrierOf: () => ({ sender: 'device 0', line: '', logId: undefined, mutations: [] }),
    isOfOneDevice: () => true,
    isForbidden: ({ data }) => data?.title === 'forbidden',
    wasSetAside: () => false,
    latestTimeOf: () => NOW,
    now: () => NOW,
    ...parts,
  });
}

/** What the reference model says of these commits. */
function judge(...commits: readonly Parameters<ServerTruth['commit']>[0][]) {
  const verdict = new Verdict();
  const truth = truthUnder(verdict);
  for (const saves of commits) truth.commit(saves);
  return verdict.first?.invariant;
}

it('accepts a commit that is as it should be', () => {
  expect(judge([{ records: [state], ledger: [row] }])).toBeUndefined();
});

it('I1 sees an entry that leaves the log for nowhere', () => {
  const nowhere = { wasApplied: () => false, wasDecided: () => false };
  expect(findLostMutation({ removeEntries: ['m1'] }, nowhere)).toBe('m1');
  expect(findLostMutation({ removeEntries: ['m1'] }, { ...nowhere, wasApplied: () => true })).toBeUndefined();
});

it('I2 sees a mutation applied twice', () => {
  expect(judge([{ ledger: [row] }], [{ ledger: [row] }])).toBe('I2');
});

it('I2 lets a user take up what was set aside once more when the server has forgotten it, and not before', () => {
  const judgeAfter = (prunedBefore: number) => {
    const verdict = new Verdict();
    const truth = truthUnder(verdict, { wasSetAside: () => true });
    truth.commit([{ ledger: [row] }]);
    truth.prune(prunedBefore);
    truth.commit([{ ledger: [{ ...row, sequence: 9 }] }]);
    return verdict.first?.invariant;
  };
  expect([judgeAfter(0), judgeAfter(Number.POSITIVE_INFINITY)]).toEqual(['I2', undefined]);
});

it('I2 sees a mutation that gets another sequence while it waits, unless its log is another one', () => {
  const meta = { logId: 'l', nextSequence: 3, checkpoint: null, walk: null, user: null, epochs: 0, revision: 0 };
  const stored = { meta, pending: new Map([['m1', 1]]) };
  const under = (sequence: number, logId: string) =>
    findRenumbered(
      { meta: { ...meta, logId }, putEntries: [{ mutation: { ...said, sequence }, round: 0, tries: 0 }] },
      stored,
    );
  expect([under(1, 'l'), under(2, 'l'), under(2, 'another')]).toEqual([undefined, 'm1', undefined]);
});

it('I3 sees a change of a tab that entered the log before an earlier one of the same tab', () => {
  const sequenceById = new Map([
    ['m1', 1],
    ['m2', 4],
    ['m3', 3],
  ]);
  expect(
    [
      ['m1', 'm2'],
      ['m1', 'never stored', 'm3'],
      ['m2', 'm3'],
    ].map((made) => findDisorder(made, sequenceById)),
  ).toEqual([undefined, undefined, 'm3 entered the log as #3, before #4, which was made earlier.']);
});

it('I8 sees a clone’s write lost to its original once a place of their log shows that they are two', () => {
  const judgeWith = (sent: readonly MutationLogEntry[]) => {
    const verdict = new Verdict();
    const truth = truthUnder(verdict, {
      isOfOneDevice: () => false,
      saidBy: (id) => (id === 'm1' ? said : mine),
      carrierOf: () => ({ sender: 'device 0', line: '', logId: 'log-a', mutations: sent }),
    });
    truth.commit([{ records: [state], ledger: [row] }]);
    const ledger = { ...row, mutationId: mine.id, sequence: 2, outcome: { ...row.outcome, version: 2 } } as const;
    const origin = { logId: 'log-a', mutationId: mine.id, sequence: 2 };
    const writes = [{ version: 2, stamp: { ...stamp, sequence: 2 }, fields: null }];
    truth.commit([
      {
        records: [{ ...state, ...{ version: 2, data: mine.data ?? {}, origin, writes } }],
        ledger: [ledger],
      },
    ]);
    return verdict.first?.invariant;
  };
  expect([judgeWith([mine]), judgeWith([{ ...mine, id: 'm0', sequence: 1 }, mine])]).toEqual([undefined, 'I8']);
});

it('I3 sees a sequence applied after a later one', () => {
  expect(judge([{ ledger: [{ ...row, sequence: 2 }] }], [{ ledger: [{ ...row, mutationId: 'm0' }] }])).toBe('I3');
});

it('I4 sees a replica that lacks a record, has another, or has one too many', () => {
  const truth = { records: new Map([['task/a', record]]) };
  const all = (_ref: object, data: JsonObject) => data;
  expect(findReplicaDifference(new Map(), truth, all)).toContain('missing');
  expect(findReplicaDifference(new Map([['task/a', { version: 1, data: {} }]]), truth, all)).toContain('v2');
  const ghost = new Map([['task/b', { version: 1, data: {} }]]);
  expect(findReplicaDifference(ghost, { records: new Map() }, all)).toContain('not for it to have');
});

it('I5 sees a version that falls', () => {
  const server = { ...state, origin: null };
  expect(judge([{ records: [{ ...server, version: 2 }] }], [{ records: [server] }])).toBe('I5');
});

it('I6 sees a checkpoint that passes a change', () => {
  const meta = { logId: 'l', nextSequence: 1, checkpoint: '2.e.5.0.', walk: null, user: null, epochs: 0, revision: 0 };
  const truth = { isOfThisFeed: () => true, records: new Map([['task/a', record]]) };
  expect(findMissedChange({ meta, records: new Map() }, truth, () => true)).toContain('task/a v2');
  const before = { ...meta, checkpoint: '2.e.4.0.' };
  expect(findMissedChange({ meta: before, records: new Map() }, truth, () => true)).toBeUndefined();
});

it('I8 sees a write over somebody else’s that nobody decided', () => {
  const update = { ...said, operation: 'update', data: { title: 'mine' }, baseVersion: 1 } as const;
  const outcome = { ...row.outcome, version: 3 };
  const applied = { said: update, base: 1, lineage: 'log-a', sequence: 1, outcome, isOwn: () => true };
  const rules = { strategy: 'manual', isKnownToServer: true, conflictFields: null } as const;
  expect(findLostUpdate(applied, record, rules)?.invariant).toBe('I8');
});

it('I10 sees a write that claims a time yet to come', () => {
  const early = { ...state, writes: [{ version: 1, stamp: { ...stamp, time: NOW + 5000 }, fields: null }] };
  expect(judge([{ records: [early], ledger: [row] }])).toBe('I10');
});

it('I11 sees a record without its ledger row, other data than was written, and a store unlike its commits', async () => {
  expect(judge([{ records: [state] }])).toBe('I11');
  expect(judge([{ records: [{ ...state, data: { title: 'y' } }], ledger: [row] }])).toBe('I11');
  const truth = truthUnder(new Verdict());
  truth.commit([{ records: [state], ledger: [row] }]);
  const store = new MemoryStore();
  await store.open();
  const different = await findDifference([], { truth, store, app: new AppDatabase() }, new Permissions(false));
  expect(different?.invariant).toBe('I11');
});

it('I12 sees a value its reader may not read', () => {
  const truth = { records: new Map([['task/a', record]]) };
  const answer = { serverChanges: [{ data: { title: 'u1:7' } }] };
  expect(
    findLeak({ answer, request: {}, user: 'u0', wasReadable: () => false }, truth, { viewOf: () => undefined }),
  ).toContain('u1:7');
  expect(
    findLeak({ answer, request: {}, user: 'u0', wasReadable: () => false }, truth, {
      viewOf: (_user, _name, data) => data,
    }),
  ).toBeUndefined();
  const twice = { records: new Map([['task/a', { ...record, data: { title: 'u1:7', status: 'u1:7' } }]]) };
  const seen = (view: JsonObject) =>
    findLeak({ answer, request: {}, user: 'u0', wasReadable: () => false }, twice, { viewOf: () => view });
  expect(seen({ title: 'u1:7' })).toBeUndefined();
  expect(seen({})).toContain('u1:7');
});

it('I5 sees a device that goes back to an older version, or to an earlier place in the feed', () => {
  const known = { ...record, version: 2, data: {}, walk: null };
  const meta = { logId: 'l', nextSequence: 1, walk: null, user: null, epochs: 0, revision: 0 };
  const before = { meta: { ...meta, checkpoint: '2.e.5.0.' }, records: new Map([['task/a', known]]) };
  const at = (place: number, version: number, walk: string | null = null) =>
    findStepBack(
      { meta: { ...meta, walk, checkpoint: `2.e.${place}.0.` }, putRecords: [{ ...known, version }] },
      before,
    );
  expect([at(4, 2), at(6, 1), at(6, 2), at(4, 1, 'walk')]).toEqual([
    'The checkpoint went from place 5 back to 4.',
    'task/a went from v2 back to v1.',
    undefined,
    undefined,
  ]);
});

it('I12 sees a write that nobody may make', () => {
  const verdict = new Verdict();
  const truth = truthUnder(verdict, { saidBy: () => ({ ...said, data: { title: 'forbidden' } }) });
  truth.commit([{ ledger: [row] }]);
  expect(verdict.first?.invariant).toBe('I12');
});

it('I7 and I9 see a lone device in conflict, and a pull below the floor without a reset', () => {
  const seen = (results: readonly object[], floor: number) => {
    const verdict = new Verdict();
    const truth = truthUnder(verdict);
    truth.head = 9;
    truth.beginFeed('e');
    const watch = new WireWatch({
      verdict,
      permissions: new Permissions(false),
      now: () => NOW,
      truth: () => truth,
      madeAt: () => undefined,
      isAlone: () => true,
      isReused: () => false,
    });
    const body = { clientId: 'c', mutations: [], lastCheckpoint: '2.e.3.0.' };
    const answer = { protocol: 2, results, serverChanges: [], checkpoint: '2.e.9.0.' } as const;
    // Only what the watch reads of a result is in it.
    watch.answer({ body, sender: 'device 0', line: 'l', user: 'u0', sentAt: NOW, aheadMs: 0 }, answer as never, {
      open: { user: 'u0', line: '', isOfThisFeed: true, readable: [] },
      floorBefore: floor,
    });
    return verdict.first?.invariant;
  };
  expect([seen([], 0), seen([{ status: 'conflict', mutationId: 'm1' }], 0), seen([], 8)]).toEqual([
    undefined,
    'I7',
    'I9',
  ]);
});

it('the model and the checkers share no code with the product, only types', () => {
  const folder = new URL('.', import.meta.url);
  const invariants = readdirSync(new URL('invariants/', folder)).map((name) => `invariants/${name}`);
  const judges = [
    'server-truth.ts',
    'true-record.ts',
    'record-name.ts',
    'shadow.ts',
    'violation.ts',
    'wire-watch.ts',
    'stream-watch.ts',
  ];
  const shared = [...judges, ...invariants].filter((name) =>
    /^import (?!type )[^;]*'@objectql/m.test(readFileSync(new URL(name, folder), 'utf8')),
  );
  expect([invariants.length > 4, shared]).toEqual([true, []]);
});
