/** The server dies at every step of a push, on every store, and another one starts on what it left. */
import type { JsonObject, MutationLogEntry, SyncPushResponse } from '@objectql/sync-types';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { engineFixtures } from '../objectstack/engine-store.fixture.js';
import { systemPlatform } from '../platform/platform.js';
import type { RecordResolver } from '../records/record-resolver.js';
import { storeResolver } from '../records/record-resolver.js';
import type { StoreFixture } from '../storage/contract/store-fixture.js';
import { look, task } from '../storage/contract/store-samples.js';
import { MemoryStore } from '../storage/memory/memory-store.js';
import { openPostgresFixture } from '../storage/postgres/postgres-database.fixture.js';
import { openSqliteFixture } from '../storage/sqlite/sqlite-store.fixture.js';
import type { SyncStore } from '../storage/sync-store.js';
import { SyncHandler } from '../sync-handler.js';
import { type StoreFault, withStoreFaults } from '../testing/store-faults.js';

const engines = engineFixtures();
afterAll(() => engines.stop());

const ENGINES: Readonly<Record<string, () => Promise<Pick<StoreFixture, 'store' | 'remove'>>>> = {
  MemoryStore: async () => {
    const store = new MemoryStore();
    await store.open();
    return { store, remove: () => store.close() };
  },
  SqliteStore: openSqliteFixture,
  PostgresStore: () => openPostgresFixture(inject('postgresUrl')),
  EngineStore: () => engines.open(),
};

/** A minute and a second: by then nobody may still be making an announced write. */
const PAST_LEASE_MS = 61_000;

for (const [engine, open] of Object.entries(ENGINES)) {
  describe(engine, () => {
    it('I11 writes in the transaction all or nothing, wherever the server dies', async () => {
      await using bench = await openBench(open);
      expect(await bench.crashEverywhere(() => storeResolver)).toEqual({ problems: [], survived: [] });
    });

    it('I2 I11 recovers announced writes, wherever the server dies', async () => {
      await using bench = await openBench(open);
      expect(await bench.crashEverywhere((app) => app.resolver)).toEqual({ problems: [], survived: [] });
      expect(await bench.crashInResolver('before')).toEqual([]);
      expect(await bench.crashInResolver('after')).toEqual([]);
    });
  });
}

/** The application's own table, which no crash of the server undoes. */
interface App {
  readonly rows: Map<unknown, JsonObject>;
  readonly resolver: RecordResolver;
}

function newApp(): App {
  const rows = new Map<unknown, JsonObject>();
  const resolver: RecordResolver = {
    getRecord: (_objectName, recordId) => rows.get(recordId),
    applyMutation({ operation, recordId, data }) {
      if (operation === 'delete') rows.delete(recordId);
      else rows.set(recordId, { ...rows.get(recordId), ...data });
    },
  };
  return { rows, resolver };
}

async function openBench(open: () => Promise<Pick<StoreFixture, 'store' | 'remove'>>) {
  const { store, remove } = await open();
  let cases = 0;

  /** One life of a server that dies by the planned faults, then one that lives on; answers what is wrong in the end. */
  async function live(faults: readonly StoreFault[], resolverOf: (app: App, die: () => void) => RecordResolver) {
    cases += 1;
    const name = `case${cases}`;
    const app = newApp();
    const clock = { now: Date.parse('2026-03-01T12:00:00.000Z') };
    const settled = resolverOf(app, () => {}) === storeResolver ? storeResolver : app.resolver;
    await push(serverOn(store, clock), { name, mutations: firstPush(name), resolver: settled });
    const fatal = { isOver: false };
    const dying = withStoreFaults(mortal(store, fatal), faults);
    const resolver = resolverOf(app, () => {
      fatal.isOver = true;
    });
    const tested = { name, mutations: testedPush(name), resolver };
    const hasSurvived = await push(serverOn(dying, clock), tested).then(areApplied, () => false);
    const answer = await untilApplied({ ...tested, resolver: settled }, clock);
    return { steps: dying.steps.length, hasSurvived, problems: await problemsOf({ name, app, settled, answer }) };
  }

  /** What a device does that was not answered: it sends again, later. */
  async function untilApplied(tested: OnePush, clock: Clock): Promise<SyncPushResponse> {
    for (let round = 0; ; round++) {
      const answer = await push(serverOn(store, clock), tested);
      if (round === 5 || areApplied(answer)) return answer;
      clock.now += PAST_LEASE_MS;
    }
  }

  function serverOn(used: SyncStore, clock: Clock): SyncHandler {
    return new SyncHandler({ store: used, platform: { ...systemPlatform, now: () => clock.now }, onWarning: () => {} });
  }

  async function problemsOf({ name, app, settled, answer }: Ending): Promise<readonly unknown[]> {
    const refs = ['edited', 'made', 'deleted'].map((which) => task(`${name} ${which}`));
    const mutationIds = testedPush(name).map(({ id }) => id);
    const { records, ledger, intents } = await look(store, { records: refs, mutationIds });
    const seen = {
      results: answer.results.map((result) => [result.status, 'serverVersion' in result && result.serverVersion]),
      records: Object.fromEntries(records.map(({ recordId, version, data }) => [recordId, [version, data]])),
      outcomes: ledger.length,
      intents: intents.length,
      rows: settled === storeResolver ? [] : [...app.rows.entries()].toSorted(),
    };
    const [edited, made] = [{ title: 'old', status: 'new' }, { title: 'made' }];
    const wanted = {
      results: [
        ['applied', 2],
        ['applied', 1],
        ['applied', 2],
      ],
      records: { [`${name} edited`]: [2, edited], [`${name} made`]: [1, made], [`${name} deleted`]: [2, null] },
      outcomes: 3,
      intents: 0,
      rows:
        settled === storeResolver
          ? []
          : [
              [`${name} edited`, edited],
              [`${name} made`, made],
            ],
    };
    return isSame(seen, wanted) ? [] : [seen];
  }

  return {
    /** Dies before and after every step; answers the cases that ended wrong, and those in which nothing died. */
    async crashEverywhere(resolverOf: (app: App) => RecordResolver) {
      const rehearsal = await live([], resolverOf);
      const deaths = Array.from({ length: rehearsal.steps }, (_, index) => index + 1).flatMap((nth) =>
        (['before', 'after'] as const).map((when) => ({ nth, when })),
      );
      const problems: unknown[] = [...rehearsal.problems];
      const survived: unknown[] = [];
      // Eight at a time, each with records and a log of its own: a database that flushes commits together is then faster.
      const lanes = Array.from({ length: 8 }, async () => {
        for (let death = deaths.pop(); death; death = deaths.pop()) {
          const ended = await live(deathAt(death.nth, death.when), resolverOf);
          problems.push(...ended.problems.map((problem) => ({ death, problem })));
          if (ended.hasSurvived) survived.push(death);
        }
      });
      await Promise.all(lanes);
      return { problems, survived };
    },
    /** Dies in the application's own code, before or after its write. */
    async crashInResolver(when: 'before' | 'after'): Promise<readonly unknown[]> {
      const dying = ({ resolver }: App, die: () => void): RecordResolver => ({
        ...resolver,
        async applyMutation(...call) {
          if (when === 'after') await resolver.applyMutation(...call);
          die();
          throw new Error('The process died.');
        },
      });
      return (await live([], dying)).problems;
    },
    async [Symbol.asyncDispose]() {
      await remove();
    },
  };
}

/** What a server takes for now, epoch milliseconds. */
interface Clock {
  now: number;
}

interface OnePush {
  readonly name: string;
  readonly mutations: readonly MutationLogEntry[];
  readonly resolver: RecordResolver;
}

interface Ending {
  readonly name: string;
  readonly app: App;
  readonly settled: RecordResolver;
  readonly answer: SyncPushResponse;
}

function push(handler: SyncHandler, { name, mutations, resolver }: OnePush): Promise<SyncPushResponse> {
  const request = { clientId: name, logId: `log of ${name}`, protocol: 2, lastCheckpoint: null, pull: false };
  return handler.handlePush({ ...request, mutations }, resolver);
}

function areApplied({ results }: SyncPushResponse): boolean {
  return results.every(({ status }) => status === 'applied');
}

/** The records that are there before. */
function firstPush(name: string): readonly MutationLogEntry[] {
  return [
    entry(name, { operation: 'create', which: 'edited', sequence: 1, data: { title: 'old' } }),
    entry(name, { operation: 'create', which: 'deleted', sequence: 2, data: { title: 'old' } }),
  ];
}

/** One mutation of each kind, each of a record of its own. */
function testedPush(name: string): readonly MutationLogEntry[] {
  return [
    entry(name, { operation: 'update', which: 'edited', sequence: 3, data: { status: 'new' } }),
    entry(name, { operation: 'create', which: 'made', sequence: 4, data: { title: 'made' } }),
    entry(name, { operation: 'delete', which: 'deleted', sequence: 5 }),
  ];
}

interface Draft {
  readonly operation: MutationLogEntry['operation'];
  readonly which: string;
  readonly sequence: number;
  readonly data?: JsonObject;
}

function entry(name: string, { which, ...draft }: Draft): MutationLogEntry {
  return {
    id: `${name}-${draft.sequence}`,
    objectName: 'task',
    recordId: `${name} ${which}`,
    timestamp: '2026-03-01T11:00:00.000Z',
    clientId: name,
    baseVersion: draft.operation === 'create' ? null : 1,
    ...draft,
  };
}

/** The step that fails, and every step after it: nobody is there any more to take one. */
function deathAt(nth: number, when: StoreFault['when']): readonly StoreFault[] {
  const later = Array.from({ length: 100 }, (_, index) => ({ nth: nth + index + 1, when: 'before' as const }));
  return [{ nth, when }, ...later];
}

/** The store, until its process is dead: then no transaction begins any more. */
function mortal(store: SyncStore, fatal: { readonly isOver: boolean }): SyncStore {
  return {
    open: () => store.open(),
    transaction: (work) => (fatal.isOver ? Promise.reject(new Error('The process died.')) : store.transaction(work)),
    page: (query) => store.page(query),
    prune: (slice) => store.prune(slice),
    changeEpoch: () => store.changeEpoch(),
    onCommit: (listener) => store.onCommit(listener),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  };
}

function isSame(seen: unknown, wanted: unknown): boolean {
  try {
    expect(seen).toEqual(wanted);
    return true;
  } catch {
    return false;
  }
}
