/** At rest, the tabs of a browser are one client. */
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
import { findWrongLead } from './lead-at-rest.js';
import { byVersion, findWrongVersions } from './versions-at-rest.js';

/** 1 s: how soon a tab shows what is done in another one. */
const SEEN_MS = 1000;
/** A minute: the longest pause before another try to read. */
const READ_AGAIN_MS = 60_000;
/** 100 ms: by then a change is written. */
const WRITTEN_MS = 100;
/** 10 ms: where storing takes up to so long, a message comes sooner. */
const STORING_MS = 10;

/** What is wrong with the tabs of a schedule that has come to rest. */
export async function findWrongTabs(world: World): Promise<string | undefined> {
  for (const tabs of browsersOf(world)) {
    for (const tab of tabs) tab.checkOrder();
    const mixed = await findWrongVersions(tabs, world);
    if (mixed) return `${tabs[0]?.browser?.name}, with tabs of two versions: ${mixed}`;
    // What other devices have changed since is here before anything is measured.
    void tabs[0]?.plugin?.syncAll();
    await world.runFor(CAUGHT_UP_MS);
    const wrong =
      (await within(HEARD_MS, () => findDifference(tabs, world), world)) ??
      findOpenCall(tabs) ??
      (await findUnseen(tabs, world)) ??
      (await findUnread(tabs, world)) ??
      (await findUntold(tabs, world)) ??
      (await findSentAgain(tabs, world)) ??
      (await findUnpaused(tabs, world)) ??
      (await findWrongLead(tabs, world)) ??
      (await within(HEARD_MS, () => findDifference(tabs, world), world)) ??
      findOpenCall(tabs);
    if (wrong) return `${tabs[0]?.browser?.name}: ${wrong}`;
  }
  return undefined;
}

/** What is shown otherwise in two tabs of a browser while nothing goes wrong, whatever still waits. */
export async function findUnlike(world: World): Promise<string | undefined> {
  for (const tabs of browsersOf(world)) {
    // Tabs of one version do not hear what those of another one write before their next sync.
    if (byVersion(tabs).length > 1) continue;
    const unlike = await within(HEARD_MS, () => findDifference(tabs, world, LASTING), world);
    if (unlike) return unlike;
  }
  return undefined;
}

function browsersOf({ devices }: World): readonly (readonly Device[])[] {
  const browsers = new Set(devices.map(({ browser }) => browser));
  return [...browsers].flatMap((browser) => (browser ? [devices.filter((device) => device.browser === browser)] : []));
}

/** A change in one tab is seen in all at once, and sent by one. */
async function findUnseen(tabs: readonly Device[], world: World): Promise<string | undefined> {
  const seen = () => findDifference(tabs, world, LASTING);
  for (const tab of tabs) {
    const before = tabs.map(({ sent }) => sent.requests);
    const syncs = tabs.map(({ app }) => app?.syncs);
    changeIn(tab);
    const unseen = await within(SEEN_MS, seen, world);
    if (unseen) return `Not seen in all tabs: ${unseen}`;
    const unsent = await within(world.plan.world.debounceMs + SENT_MS, async () => findUnsent(tabs), world);
    if (unsent) return unsent;
    const { id } = changeIn(tab);
    const asked = syncIn(tab);
    await world.runFor(SENT_MS);
    const senders = tabs.filter(({ sent }, index) => sent.requests > (before[index] ?? 0));
    if (senders.length > 1) return `${senders.map(({ name }) => name).join(' and ')} sent one change.`;
    if (!asked.answer?.results.some(({ mutationId }) => mutationId === id))
      return `${tab.name} asked for a sync, which did not send ${id}.`;
    const deaf = tabs.find(({ app }, index) => app?.syncs === syncs[index]);
    if (deaf) return `${deaf.name} was not told of a sync.`;
    const open = findOpenCall(tabs);
    if (open) return open;
  }
  return undefined;
}

/** What another tab has written is seen also where it cannot be read at first, though nobody writes anything more. */
async function findUnread(tabs: readonly Device[], world: World): Promise<string | undefined> {
  for (const tab of tabs) {
    const other = tabs.find((one) => one !== tab);
    if (!other) return undefined;
    tab.setFailing(true);
    changeIn(other);
    await world.runFor(world.plan.world.debounceMs + SENT_MS);
    tab.setFailing(false);
    const unread = await within(READ_AGAIN_MS, () => findDifference(tabs, world), world);
    if (unread) return `Not read again: ${unread}`;
  }
  return undefined;
}

/** What a tab has stored without hearing so is seen in all and sent, though nobody writes anything more. */
async function findUntold(tabs: readonly Device[], world: World): Promise<string | undefined> {
  for (const tab of tabs) {
    for (const how of ['unanswered', 'asked again'] as const) {
      tab.untellNext(how);
      changeIn(tab);
      const unseen = await within(HEARD_MS, () => findDifference(tabs, world, LASTING), world);
      if (unseen) return `Stored, ${how}: ${unseen}`;
      const find = async () => findUnsent(tabs) ?? findOpenCall(tabs);
      const unsettled = await within(world.plan.world.debounceMs + SENT_MS, find, world);
      if (unsettled) return `Stored, ${how}: ${unsettled}`;
    }
  }
  return undefined;
}

/** What a tab has stored without hearing so before it hangs is sent by another one, and not once more when it goes on. */
async function findSentAgain(tabs: readonly Device[], world: World): Promise<string | undefined> {
  // A tab that stores without any delay does so before it hears what it has missed.
  if ((world.plan.world.tabs?.storageMs ?? 0) < STORING_MS) return undefined;
  for (const tab of tabs) {
    const others = tabs.filter((one) => one !== tab);
    if (others.length === 0) return undefined;
    tab.untellNext('unanswered');
    const { id } = changeIn(tab);
    await world.runFor(WRITTEN_MS);
    tab.stop('hangs');
    // Another tab leads within 5 s, if this one has led.
    await world.runFor(world.plan.world.debounceMs + 2 * SENT_MS);
    const unsent = findUnsent(others);
    if (unsent) return `Stored, unanswered: ${unsent}`;
    tab.goOn();
    await world.runFor(world.plan.world.debounceMs + SENT_MS);
    const wrong = findUnsent(tabs) ?? findOpenCall(tabs);
    if (wrong) return `Stored, unanswered: ${wrong}`;
    if (tab.disk.returned.has(id)) return `${tab.name} has stored ${id} again, which was settled.`;
  }
  return undefined;
}

/** What is paused or resumed in one tab is so in all, whichever leads, and also in one that comes later. */
async function findUnpaused(tabs: readonly Device[], world: World): Promise<string | undefined> {
  const leader = tabs.find(({ isLeading }) => isLeading);
  const [other] = tabs.filter((tab) => tab !== leader);
  if (!leader || !other) return undefined;
  other.plugin?.client.pause();
  const unpaused = await within(SEEN_MS, async () => findOther('paused', tabs), world);
  if (unpaused) return unpaused;
  leader.crash(AWAY_MS);
  changeIn(other);
  await world.runFor(world.plan.world.debounceMs + SENT_MS);
  leader.start();
  await world.runFor(HEARD_MS);
  const resumed = findOther('paused', tabs);
  if (resumed) return resumed;
  // The tab that came later leads when all others are gone.
  const older = tabs.filter((tab) => tab !== leader);
  for (const tab of older) tab.crash(AWAY_MS);
  await world.runFor(world.plan.world.debounceMs + SENT_MS);
  if (leader.plugin?.client.status.pending === 0) return `${leader.name} is paused, and sends.`;
  for (const tab of older) tab.start();
  await world.runFor(HEARD_MS);
  leader.plugin?.client.resume();
  return within(SENT_MS, async () => findOther('idle', tabs) ?? findUnsent(tabs), world);
}

function findOther(state: string, tabs: readonly Device[]): string | undefined {
  const other = tabs.find(({ plugin }) => plugin?.client.status.state !== state);
  return other && `${other.name} is not ${state}: ${JSON.stringify(other.plugin?.client.status)}`;
}
