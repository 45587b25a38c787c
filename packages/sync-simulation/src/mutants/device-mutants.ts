/** Rules of the client, switched off one at a time. */
import type { StorageBatch } from '@objectql/plugin-sync';
import type { ExpectedMutant } from './mutant.js';

/** The mutants of what devices store and when they act. */
export const DEVICE_MUTANTS: readonly ExpectedMutant[] = [
  {
    name: 'a walk drops nothing at its end',
    breaks: 'I4',
    hint: 28,
    batch: ({ sweepWalk, ...batch }) => [batch],
  },
  {
    name: 'a refused mutation is in no list',
    breaks: 'I1',
    hint: 1,
    batch: ({ putDeadLetters, ...batch }) => [batch],
  },
  {
    name: 'an answer is stored in two steps, the checkpoint first',
    breaks: 'I6',
    hint: 1,
    batch: ({ meta, expectCheckpoint, expectRevision, ...rest }) =>
      meta ? [{ ...guards({ expectCheckpoint, expectRevision }), meta }, rest] : [rest],
  },
  {
    name: 'all up to the last mutation that is settled leaves the log',
    breaks: 'I1',
    hint: 3,
    batch: (batch, { pending }) => [{ ...batch, removeEntries: upToLast(batch.removeEntries ?? [], pending) }],
  },
  {
    name: 'the user is told that something is durable before it is',
    breaks: 'I1',
    hint: 1,
    isToldEarly: true,
  },
  {
    name: 'a mutation that fails on and on is never set aside',
    breaks: 'I13',
    hint: 57,
    batch: ({ putEntries = [], ...batch }) => [
      { ...batch, putEntries: putEntries.map((entry) => ({ ...entry, tries: 0 })) },
    ],
  },
  {
    name: 'a power cut takes records, and leaves the checkpoint behind them',
    breaks: 'I6',
    hint: 8,
    isTorn: true,
  },
  {
    name: 'no timer goes off',
    breaks: 'I13',
    hint: 1,
    goesOff: () => false,
  },
  {
    name: 'an answer is stored whatever else was stored since it was asked for',
    breaks: 'I5',
    hint: 43,
    batch: ({ expectCheckpoint, ...batch }) => [batch],
  },
  {
    name: 'two tabs write over each other',
    breaks: 'I5',
    hint: 10,
    batch: ({ expectRevision, ...batch }) => [batch],
  },
  {
    name: 'a conflict that nobody decided is in no list',
    breaks: 'I1',
    hint: 1,
    batch: ({ putConflicts, ...batch }) => [batch],
  },
  {
    name: 'a mutation is sent before it is durable',
    breaks: 'I7',
    hint: 1,
    isSentEarly: true,
  },
];

function guards({
  expectCheckpoint,
  expectRevision,
}: {
  readonly expectCheckpoint: string | null | undefined;
  readonly expectRevision: number | undefined;
}): Pick<StorageBatch, 'expectCheckpoint' | 'expectRevision'> {
  return {
    ...(expectCheckpoint === undefined ? {} : { expectCheckpoint }),
    ...(expectRevision === undefined ? {} : { expectRevision }),
  };
}

function upToLast(ids: readonly string[], sequenceById: ReadonlyMap<string, number>): readonly string[] {
  const last = Math.max(0, ...ids.map((id) => sequenceById.get(id) ?? 0));
  return [...sequenceById].filter(([, sequence]) => sequence <= last).map(([id]) => id);
}
