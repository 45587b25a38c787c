/** The data engine fails, or its process dies, at every operation of a push whose records are the engine's own. */
import type { JsonObject, MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { afterAll, expect, it } from 'vitest';
import { look, task } from '../storage/contract/store-samples.js';
import { SyncHandler } from '../sync-handler.js';
import { type EngineFault, withEngineFault } from './engine-faults.fixture.js';
import { EngineRecords } from './engine-records.js';
import { EngineStore } from './engine-store.js';
import { startKernel } from './kernel.fixture.js';

const text = (label: string) => ({ type: 'text', label }) as const;
const TASK = { name: 'task', label: 'Task', fields: { title: text('Title'), status: text('Status') } };

/** What is stored before the push under test. */
const FIRST: readonly Draft[] = [
  { which: 'edited', operation: 'create', data: { title: 'old' } },
  { which: 'deleted', operation: 'create', data: { title: 'old' } },
];
/** One mutation of each kind, and a second one of a record that the push itself makes. */
const TESTED: readonly Draft[] = [
  { which: 'edited', operation: 'update', data: { status: 'new' } },
  { which: 'made', operation: 'create', data: { title: 'made' } },
  { which: 'made', operation: 'update', data: { status: 'late' } },
  { which: 'deleted', operation: 'delete' },
];

const bench = openBench();
afterAll(async () => (await bench).stop());

it.each([
  ['the process dies', true],
  ['it fails once', false],
] as const)('I11 applies a push once when %s at any operation of the data engine', async (_what, isFatal) => {
  const { live } = await bench;
  const rehearsal = await live(undefined);
  expect(rehearsal.problems).toEqual([]);
  // Who dies after an operation dies before the next one.
  const moments = isFatal ? (['before'] as const) : (['before', 'after'] as const);
  const problems: unknown[] = [];
  const unharmed: string[] = [];
  for (const [index, operation] of rehearsal.operations.entries()) {
    for (const when of moments) {
      const ended = await live({ nth: index + 1, when, isFatal });
      if (ended.problems.length > 0) problems.push({ operation, when, problems: ended.problems });
      if (!ended.wasNoticed) unharmed.push(`${when} ${operation}`);
    }
  }
  expect([problems, unharmed]).toEqual([[], []]);
});

it('opens after a failure at any operation of an earlier opening', async () => {
  const { open, live } = await bench;
  const operations = await open(undefined);
  for (const [index] of operations.entries()) {
    for (const when of ['before', 'after'] as const) await open({ nth: index + 1, when, isFatal: true });
  }
  expect([operations.length > 5, (await live(undefined)).problems]).toEqual([true, []]);
});

interface Draft {
  readonly which: string;
  readonly operation: MutationLogEntry['operation'];
  readonly data?: JsonObject;
}

async function openBench() {
  const { engine, stop } = await startKernel({ objects: [TASK] });
  const healthy = new EngineStore(engine);
  const faulty = withEngineFault(engine);
  const tested = new EngineStore(faulty.engine);
  const handler = new SyncHandler({ store: healthy, resolver: new EngineRecords(engine) });
  const testedHandler = new SyncHandler({
    store: tested,
    resolver: new EngineRecords(faulty.engine),
    onWarning: () => {},
  });
  // Handlers open their stores with the first request.
  for (const each of [handler, testedHandler]) await each.handlePull({ clientId: 'first', lastCheckpoint: null });
  let cases = 0;

  /** A push on an engine with the fault, and as often as it takes on one without; answers what is wrong in the end. */
  async function live(fault: EngineFault | undefined) {
    cases += 1;
    const name = `case${cases}`;
    await push(handler, requestOf(name, FIRST, 1));
    // Opened anew, it begins an epoch with the push: each case has the same operations.
    await tested.close();
    await tested.open();
    faulty.arm(fault);
    const request = requestOf(name, TESTED, 1 + FIRST.length);
    const wasNoticed = await push(testedHandler, request).then(
      (answer) => !areApplied(answer),
      () => true,
    );
    const operations = [...faulty.operations];
    faulty.arm(undefined);
    const answer = await push(handler, request);
    return { operations, wasNoticed, problems: await problemsOf(name, answer) };
  }

  async function problemsOf(name: string, { results }: SyncPushResponse): Promise<readonly unknown[]> {
    const refs = ['deleted', 'edited', 'made'].map((which) => task(`${name} ${which}`));
    const mutationIds = requestOf(name, TESTED, 1 + FIRST.length).mutations.map(({ id }) => id);
    const { records, ledger } = await look(healthy, { records: refs, mutationIds });
    const rows = await Promise.all(
      refs.map(({ recordId }) => engine.findOne('task', { where: { id: recordId } }, { context: AS_SYSTEM })),
    );
    const seen = {
      results: results.map((result) => result.status === 'applied' && result.serverVersion),
      versions: records.map(({ recordId, version }) => `${recordId} v${version}`).toSorted(),
      outcomes: ledger.length,
      rows: rows.map((row) => row && [row.title, row.status]),
      feed: records.map(({ data }) => data && [data.title, data.status]).toSorted(),
    };
    const made = ['made', 'late'];
    const edited = ['old', 'new'];
    const wanted = {
      results: [2, 1, 2, 2],
      versions: [`${name} deleted v2`, `${name} edited v2`, `${name} made v2`],
      outcomes: TESTED.length,
      rows: [null, edited, made],
      feed: [made, null, edited].toSorted(),
    };
    return JSON.stringify(seen) === JSON.stringify(wanted) ? [] : [{ seen, wanted }];
  }

  /** Opens a store on an engine with the fault, and then one on an engine without. */
  async function open(fault: EngineFault | undefined): Promise<readonly string[]> {
    const opening = withEngineFault(engine);
    opening.arm(fault);
    // Some failures are none: the probe for organizations is allowed to find nothing.
    await new EngineStore(opening.engine).open().catch(() => {});
    await using store = new EngineStore(engine);
    await store.open();
    return opening.operations;
  }

  return {
    live,
    open,
    async stop() {
      for (const store of [healthy, tested]) await store.close();
      await stop();
    },
  };
}

function push(handler: SyncHandler, request: ReturnType<typeof requestOf>): Promise<SyncPushResponse> {
  return handler.handlePush(request, undefined, { principal: { id: 'ada', context: AS_SYSTEM } });
}

function areApplied({ results }: SyncPushResponse): boolean {
  return results.every(({ status }) => status === 'applied');
}

function requestOf(name: string, drafts: readonly Draft[], firstSequence: number) {
  const mutations = drafts.map(({ which, ...draft }, index) => ({
    id: `${name}-${firstSequence + index}`,
    objectName: 'task',
    recordId: `${name} ${which}`,
    timestamp: '2026-03-01T11:00:00.000Z',
    clientId: name,
    sequence: firstSequence + index,
    baseVersion: draft.operation === 'create' || which === 'made' ? null : 1,
    ...draft,
  }));
  return { clientId: name, logId: `log of ${name}`, protocol: 2, lastCheckpoint: null, mutations };
}
