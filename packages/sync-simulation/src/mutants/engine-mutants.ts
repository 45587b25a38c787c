/** Rules of sync with a local data engine, switched off one at a time. */
import type { EngineRow } from '@objectql/sync-types/kernel';
import type { Asked, ExpectedMutant } from './mutant.js';

const OUTBOX = 'objectstack_sync_outbox';
const KNOWN = 'objectstack_sync_known';

/** The mutants of what a local data engine is asked and answers; they are sought in schedules with engines. */
export const ENGINE_MUTANTS: readonly ExpectedMutant[] = [
  {
    name: 'a local engine does not note what the app writes',
    breaks: 'I1',
    hint: 1,
    isInserted: (objectName) => objectName !== OUTBOX,
  },
  {
    name: 'a local engine does not know what is synced',
    breaks: 'I1',
    hint: 5,
    isInserted: (objectName) => objectName !== KNOWN,
  },
  {
    name: 'a note is committed whatever becomes of its transaction',
    breaks: 'I1',
    hint: 1,
    isBesideTransactions: (objectName) => objectName === OUTBOX,
  },
  {
    name: 'a transaction commits in which a write could not be noted',
    breaks: 'I1',
    hint: 7,
    isCommittedAnyway: true,
  },
  {
    name: 'a write is of the time at which it is recorded',
    breaks: 'I10',
    hint: 5,
    found: changed((note, { now }) => ({ ...note, noted_at: new Date(now).toISOString() })),
  },
  {
    name: 'a write gets its id when it is recorded',
    breaks: 'I2',
    hint: 1,
    found: changed((note, { now }) => ({ ...note, mutation_id: `${note.mutation_id}-${now}` })),
  },
  {
    name: 'a note does not tell whose it is',
    breaks: 'I12',
    hint: 6,
    found: changed((note) => ({ ...note, noted_for: null })),
  },
  {
    name: 'a write is based on what its user has not seen',
    breaks: 'I8',
    hint: 1,
    found: changed((note) => ({ ...note, base: newer(note.base) })),
  },
  {
    name: 'a version of a feed that is lost counts as one of the present feed',
    breaks: 'I8',
    hint: 1798,
    found: changed((note, { client: { epochs, logId } }) => ({
      ...note,
      base: withBase(note.base, { epochs, logId }),
    })),
  },
  {
    name: 'notes are recorded the last first',
    breaks: 'I3',
    hint: 5,
    found: (objectName, rows, { query }) => (objectName === OUTBOX && !query.limit ? rows.toReversed() : rows),
  },
  {
    name: 'what the server has is written over what waits in a local engine',
    breaks: 'I1',
    hint: 6,
    found: (objectName, rows, { query }) => (objectName === OUTBOX && query.where ? [] : rows),
  },
  {
    name: 'what a client may only be missing is deleted in a local engine',
    breaks: 'I1',
    hint: 4,
    isSweptEarly: true,
  },
  {
    name: 'a local engine does not note what goes with a record that the app deletes',
    breaks: 'I1',
    hint: 30,
    cascadingUnseen: 'app',
  },
  {
    name: 'a local engine keeps to itself what goes with a record that sync deletes',
    breaks: 'I1',
    hint: 17,
    cascadingUnseen: 'sync',
  },
  {
    name: 'what the definitions of a local engine refuse is not written past them',
    breaks: 'I4',
    hint: 20,
    isDriverRefusing: true,
  },
  {
    name: 'nobody is told what a local engine refuses',
    breaks: 'I8',
    hint: 66,
    isRefusingSilently: true,
  },
  {
    name: 'a local engine is told late what a stream has brought',
    breaks: 'live',
    hint: 17,
    isEngineToldLate: true,
  },
];

/** Reads notes differently from how they were written. */
function changed(change: (note: EngineRow, asked: Asked) => EngineRow): NonNullable<ExpectedMutant['found']> {
  return (objectName, rows, asked) => (objectName === OUTBOX ? rows.map((note) => change(note, asked)) : rows);
}

function newer(base: unknown): unknown {
  if (typeof base !== 'string') return base;
  const { version } = JSON.parse(base) as { readonly version: number | null };
  return withBase(base, { version: version && version + 1 });
}

function withBase(base: unknown, change: object): unknown {
  return typeof base === 'string' ? JSON.stringify({ ...JSON.parse(base), ...change }) : base;
}
