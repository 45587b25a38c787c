/** Tabs under any history: recorded in, hidden, hanging, frozen, crashed, closed and opened in any order, on a network that fails. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SyncStatus } from '../../src/sync-status.js';
import { openTabs, type Tabs } from './tabs.js';

type Step =
  | {
      readonly do: 'record' | 'edit' | 'hang' | 'freeze' | 'go on' | 'crash' | 'close' | 'sync' | 'hide' | 'show';
      readonly tab: number;
    }
  | { readonly do: 'open' }
  | { readonly do: 'lose'; readonly tab: number; readonly what: 'request lost' | 'answer lost' }
  | { readonly do: 'wait'; readonly ms: number };

const tab = fc.nat(9);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('record' as const, 'edit' as const), tab }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(250, 500, 2000, 6000) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(
        'hang' as const,
        'freeze' as const,
        'go on' as const,
        'hide' as const,
        'show' as const,
        'sync' as const,
      ),
      tab,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'close' as const), tab }) },
  { weight: 1, arbitrary: fc.constant({ do: 'open' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('lose' as const),
      tab,
      what: fc.constantFrom('request lost' as const, 'answer lost' as const),
    }),
  },
);

test('I1 I2 I3 I4 loses nothing, applies nothing twice, keeps each tab’s order, and shows the same in all tabs', async () => {
  const law = fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
    const world = await openTabs(2);
    const told = new Map<string, Told>();
    for (const next of steps) await perform(world, next, told);
    await settle(world);
    const live = world.tabs.filter(({ runs }) => runs);
    const { records } = await world.server.handler.store.page({ after: 0, limit: 1000 });
    const atServer = Object.fromEntries(
      records.map(({ recordId, data }) => [recordId, data && JSON.parse(data).title]).sort(),
    );
    for (const one of live) {
      expect(await one.seen()).toEqual(atServer);
      expect(one.plugin.client.status).toMatchObject({ state: 'idle', pending: 0, deadLetters: 0, conflicts: 0 });
    }
    const sent = world.tabs.flatMap(({ connection }) => connection.requests.flatMap(({ mutations }) => mutations));
    const sequenceById = new Map(sent.map(({ id, sequence }) => [id, sequence]));
    // One mutation has one sequence, whoever sends it, and one sequence is one mutation.
    expect(new Set(sent.map(({ id, sequence }) => `${id} ${sequence}`)).size).toBe(sequenceById.size);
    expect(new Set(sequenceById.values()).size).toBe(sequenceById.size);
    for (const { ids } of told.values()) {
      const sequences = ids.map((id) => sequenceById.get(id));
      expect(sequences).toEqual([...sequences].sort((a, b) => Number(a) - Number(b)));
      expect(sequences).not.toContain(undefined);
    }
    for (const record of records) {
      const own = sent.filter(({ recordId }) => recordId === record.recordId);
      expect(record.version).toBe(new Set(own.map(({ id }) => id)).size);
    }
    await Promise.all(live.map(({ plugin }) => plugin.close()));
  });
  await fc.assert(law, { numRuns: 30 });
});

let count = 0;

/** What one tab was told is durable, in the order it recorded. */
interface Told {
  readonly ids: string[];
}

async function perform(world: Tabs, next: Step, told: Map<string, Told>): Promise<void> {
  switch (next.do) {
    case 'open':
      if (world.tabs.length < 6) world.open();
      return world.advance(250);
    case 'wait':
      return world.advance(next.ms);
    default:
  }
  const index = next.tab % world.tabs.length;
  const one = world.tabs[index];
  if (!one || one.isGone) return;
  switch (next.do) {
    case 'record':
    case 'edit': {
      if (!one.runs) return;
      const recordId = next.do === 'edit' ? `shared-${index}` : `${index}-${++count}`;
      const exists = (await one.seen())[recordId] !== undefined;
      const recording = async () =>
        exists
          ? await one.tasks.records.update(recordId, { title: `${one.platform.now()}` })
          : one.tasks.records.create(recordId, { title: `${one.platform.now()}` });
      const { id } = await recording();
      const ofTab = told.get(`${index}`) ?? { ids: [] };
      told.set(`${index}`, ofTab);
      await one.tasks.flush();
      ofTab.ids.push(id);
      return;
    }
    case 'sync':
      if (one.runs) void one.tasks.sync();
      return world.advance(0);
    case 'lose':
      return void one.connection.fates.push(next.what);
    case 'hang':
      return one.runs ? world.hang(one) : undefined;
    case 'freeze':
      return one.runs ? world.freeze(one) : undefined;
    case 'go on':
      return one.runs ? undefined : world.goOn(one);
    case 'hide':
    case 'show':
      return one.host.setVisible(next.do === 'show');
    case 'crash':
      return world.crash(one);
    case 'close':
      return one.runs ? world.close(one) : undefined;
  }
}

function isAtRest({ state, pending }: SyncStatus): boolean {
  return state === 'idle' && pending === 0;
}

/** Until then a tab that still waits for a dead leader looks as if all were done. */
function hasLeader({ tabs }: Tabs): boolean {
  return tabs.some(({ isGone, connection }) => !isGone && connection.requests.length > 0);
}

/** Everything that can go on goes on, until all is sent. */
async function settle(world: Tabs): Promise<void> {
  if (world.tabs.every(({ isGone }) => isGone)) world.open();
  for (const one of world.tabs) {
    one.connection.fates.length = 0;
    if (!one.isGone && !one.runs) await world.goOn(one);
  }
  const isOver = () =>
    world.tabs.every(({ isGone, plugin }) => isGone || isAtRest(plugin.client.status)) && hasLeader(world);
  // A backoff may take a minute, and a storage that failed once the same.
  for (let waited = 0; waited < 200 && !isOver(); waited++) await world.advance(1000);
  await world.advance(500);
}
