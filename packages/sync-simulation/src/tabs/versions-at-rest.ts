/** At rest, tabs of two versions of an app that do not understand each other share one storage in peace. */
import type { Device } from '../device.js';
import type { World } from '../world.js';
import {
  AWAY_MS,
  CAUGHT_UP_MS,
  changeIn,
  findDifference,
  findOpenCall,
  findUnsent,
  HEARD_MS,
  LASTING,
  SENT_MS,
  syncIn,
  within,
} from './at-rest.js';

/** 20 s: by then tabs that take the lead from each other have done so several times. */
const LEADING_MS = 20_000;
/** 50 ms: how often it is looked who leads. */
const LOOK_MS = 50;

/** The tabs that understand each other. */
export function byVersion(tabs: readonly Device[]): readonly (readonly Device[])[] {
  const groups = [tabs.filter(({ isOlder }) => !isOlder), tabs.filter(({ isOlder }) => isOlder)];
  return groups.filter((group) => group.length > 0);
}

/** What goes wrong beside tabs of an older version; afterwards they have loaded the newer one. */
export async function findWrongVersions(tabs: readonly Device[], world: World): Promise<string | undefined> {
  const groups = byVersion(tabs);
  const wrong =
    groups.length > 1 ? ((await findUnsteady(groups, world)) ?? (await findUnsynced(groups, world))) : undefined;
  const older = tabs.filter(({ isOlder }) => isOlder);
  for (const tab of older) reload(tab);
  if (older.length > 0) await world.runFor(HEARD_MS);
  return wrong;
}

/** Each version has one leader, which stays. */
async function findUnsteady(groups: readonly (readonly Device[])[], world: World): Promise<string | undefined> {
  const leadersOf = (tabs: readonly Device[]) => tabs.filter(({ isLeading }) => isLeading).map(({ name }) => name);
  const before = groups.map(leadersOf);
  for (const until = world.time.now() + LEADING_MS; world.time.now() < until; await world.runFor(LOOK_MS)) {
    for (const [index, tabs] of groups.entries()) {
      const leaders = leadersOf(tabs);
      const [first] = before[index] ?? [];
      if (leaders.length !== 1 || leaders[0] !== first)
        return `${leaders.join(' and ') || 'nobody'} leads, not ${first}.`;
    }
    if (world.verdict.first) return undefined;
  }
  return undefined;
}

/** What is changed in one version is sent, what is called ends, and the other version shows it with its next sync. */
async function findUnsynced(groups: readonly (readonly Device[])[], world: World): Promise<string | undefined> {
  const all = groups.flat();
  for (const group of groups) {
    const [tab] = group;
    const [other] = all.filter((one) => !group.includes(one));
    if (!tab || !other) return undefined;
    changeIn(tab);
    const find = async () => findUnsent(group) ?? findOpenCall(all);
    const unsettled = await within(world.plan.world.debounceMs + SENT_MS, find, world);
    if (unsettled) return unsettled;
    syncIn(other);
    const behind = await within(
      CAUGHT_UP_MS,
      async () => findOpenCall(all) ?? findDifference(all, world, LASTING),
      world,
    );
    if (behind) return `After a sync ${behind}`;
  }
  return undefined;
}

function reload(tab: Device): void {
  tab.crash(AWAY_MS);
  tab.start();
}
