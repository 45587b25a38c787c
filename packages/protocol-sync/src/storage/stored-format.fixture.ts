/** What stores write, as it is committed: the next release reads it, and servers of the last one still run beside it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  feedOf,
  look,
  sampleIntent,
  sampleLog,
  sampleRow,
  sampleState,
  sampleTombstone,
  save,
  told,
} from './contract/store-samples.js';
import type { LedgerOutcome, SyncStore } from './sync-store.js';

type Row = Readonly<Record<string, unknown>>;

export interface Dump {
  /** How the tables are defined. */
  readonly tables: unknown;
  readonly rows: Readonly<Record<string, readonly Row[]>>;
}

/** The folder of the committed formats. */
export const GOLDEN = fileURLToPath(new URL('../../golden/', import.meta.url));

/** What to do about a stored format that is not the committed one. */
export const FORMAT_CHANGED =
  'What is stored changed. Servers are updated one by one: those of the last release go on writing after the first new ' +
  'one has upgraded the tables. A new step must let them go on, or make them fail, as a table with another name does. ' +
  'Keep the committed file under a name with its version, and have it read too. Then run vitest with -u.';

const OUTCOMES: { readonly [Status in LedgerOutcome['status']]: Extract<LedgerOutcome, { readonly status: Status }> } =
  {
    applied: { status: 'applied', version: 1, droppedFields: ['title'] },
    conflict: { status: 'conflict', kind: 'update-update', fields: ['title'] },
    rejected: { status: 'rejected', code: 'FORBIDDEN', reason: 'not yours' },
  };

const BOTH = sampleState({
  version: 2,
  writes: [
    { version: 1, stamp: { time: 1, logId: 'log-0', sequence: 1 }, fields: null },
    { version: 2, stamp: { time: 2, logId: 'log-1', sequence: 2 }, fields: ['title'] },
  ],
});
const RECORDS = [BOTH, sampleTombstone('task-2', 1_700_000_000_000), sampleState({ recordId: 3, origin: null })];
const LEDGER = [
  ...Object.values(OUTCOMES).map((outcome, index) => sampleRow(outcome.status, { outcome, sequence: index + 1 })),
  sampleRow('protocol-1', { logId: null }),
];
const LOG = sampleLog({ floor: 1 });
const INTENT = sampleIntent({ recordId: 'task-4' });

/** Stores everything there is to store, in a store that is new. */
export function storeWhole(store: SyncStore): Promise<void> {
  return save(store, { records: RECORDS, ledger: LEDGER, log: LOG, intents: [INTENT] });
}

/** What is stored as the text to commit, whatever order it was read in; epochs are random. */
export function formatOf({ tables, rows }: Dump): string {
  const sorted = Object.entries(rows).map(([table, own]) => [
    table,
    own.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  ]);
  const text = `${JSON.stringify({ tables, rows: Object.fromEntries(sorted) }, null, 2)}\n`;
  return text.replaceAll(/("epoch": )"[^"]*"/g, '$1"epoch-1"');
}

/** What `formatOf` gave and is committed under this name. */
export function readFormat(name: string): Dump {
  // A cast: `formatOf` made it.
  return JSON.parse(readFileSync(`${GOLDEN}${name}`, 'utf8')) as Dump;
}

/** What `storeWhole` stored, as a store tells it. */
export async function wholeOf(store: SyncStore) {
  const records = [...RECORDS, INTENT];
  const mutationIds = LEDGER.map(({ mutationId }) => mutationId);
  const log = { logId: LOG.logId, sequences: [] };
  const { facts, ...loaded } = await look(store, { records, mutationIds, log });
  return { head: facts.head, ...loaded, feed: await feedOf(store) };
}

/** What `wholeOf` gives, in any order. */
export const WHOLE = {
  head: RECORDS.length,
  records: RECORDS.map((state, index) => ({ ...state, place: index + 1 })),
  ledger: LEDGER,
  log: LOG,
  formerLogs: [],
  intents: [INTENT],
  feed: RECORDS.map((state, index) => told(state, index + 1)),
};
