/** At rest, live updates are as prompt and as cheap as they promise, and leave no stream behind. */
import { createNote } from './create-note.js';
import type { Device } from './device.js';
import { OBJECT_NAMES } from './disk.js';
import { compareEngines } from './engine/compare-engines.js';
import { findDifference } from './invariants/convergence.js';
import { callIn } from './tabs/at-rest.js';
import type { Violation } from './violation.js';
import type { World } from './world.js';

const MINUTE_MS = 60_000;
/**
 * 25: a stream that nobody listens to any more takes another one's room for at most 15, and a client that polls tries a
 * stream again after at most 8.
 */
const MAX_REOPEN_MINUTES = 25;
/** 3 min: several signs of life, and several questions of those that have no stream. */
const QUIET_MS = 3 * MINUTE_MS;
/** 20: without a stream a client asks every 15 s at most, or at random times while streams end early. */
const MAX_QUESTIONS = 20;
/** 3 s after it is sent: at once, or a moment later if the stream happens to end just then. */
const PROMPT_MS = 3000;
/** 2 s: a tab that the user looks at takes the lead with its next question. */
const TAKE_MS = 2000;
/** 61 s: a client without a stream asks within a minute. */
const POLLED_MS = 61_000;
/** 6.5 min: a client notices after 5 that nobody looks, as soon as something happens, and something does each minute. */
const REST_MS = 6.5 * MINUTE_MS;
/** 16 min: by then the server has ended the streams of clients that could not say that they have gone. */
const ENDED_MS = 16 * MINUTE_MS;

/** What is wrong with the live updates of a schedule that has come to rest; its apps are closed then. */
export async function findWrongLive(world: World): Promise<string | undefined> {
  const live = world.devices.filter(({ way }) => way);
  if (live.length === 0) return undefined;
  return (
    (await findClosed(live, world)) ??
    findMany(live, world) ??
    (await findNeedless(live, world)) ??
    (await findLate(live, world)) ??
    (await findRestless(live, world)) ??
    (await findLeftOpen(live, world))
  );
}

/** Where nothing is in the way, there is a stream again. */
async function findClosed(live: readonly Device[], world: World): Promise<string | undefined> {
  const closed = () => live.find((device) => device.way === 'free' && !hasStream(device));
  for (let minute = 0; minute < MAX_REOPEN_MINUTES && closed(); minute++) await world.runFor(MINUTE_MS);
  const left = closed();
  return left && `${left.name} has no stream: ${JSON.stringify(left.plugin?.client.status)}`;
}

/** Of all tabs of a browser, the one that leads holds a stream. */
function findMany(live: readonly Device[], world: World): string | undefined {
  for (const device of live) {
    const tabs = world.tabsOf(device);
    const holders = tabs.filter(({ name }) => world.streams.servedTo(name) > 0);
    if (device.browser && hasStream(device) && !(holders.length === 1 && holders[0]?.isLeading))
      return `Of ${tabs.length} tabs of ${device.browser.name}, ${holders.map(({ name }) => name).join(' and ')} hold streams.`;
  }
  return undefined;
}

/** While nothing changes, an open stream costs no request, and the lack of one costs few. */
async function findNeedless(live: readonly Device[], world: World): Promise<string | undefined> {
  const open = live.filter(hasStream);
  const sentBy = await sentDuring(live, () => world.runFor(QUIET_MS));
  for (const [device, { requests, streams }] of sentBy) {
    // Its stream may have lasted for 15 minutes by now.
    const isFew = open.includes(device) ? requests === 0 && streams <= 1 : Math.max(requests, streams) <= MAX_QUESTIONS;
    if (!isFew) return `${device.name} asked ${requests} times, and for ${streams} streams, while nothing changed.`;
  }
  return undefined;
}

/** What one device writes, each other one shows at once, and asks once for it; without a stream, within a minute. */
async function findLate(live: readonly Device[], world: World): Promise<string | undefined> {
  const { devices, plan } = world;
  const open = live.filter(hasStream);
  const sentBy = await sentDuring(open, async () => {
    const writer = devices.at(-1);
    if (writer) createNote(writer, 'at rest');
    await world.runFor(plan.world.debounceMs + PROMPT_MS);
  });
  for (const [{ name, disk, browser }, { requests, streams }] of sentBy) {
    // Several tabs that do not know of each other store each other's answers, and send the same change.
    if (!browser && devices.filter((other) => other.disk === disk).length > 1) continue;
    // A stream that begins just then asks at its beginning. A clone may have to leave its log. A stream names the rights
    // with which it was opened, so that its client does not recognize its own change once they differ.
    const most = 1 + streams + (disk.isCloned ? 1 : 0) + (plan.world.isAuthorized ? 1 : 0);
    if (requests > most) return `${name} asked ${requests} times for one change.`;
  }
  const late = await findBehind(open, world);
  if (late) return `Through an open stream ${late.message}`;
  await world.runFor(POLLED_MS);
  const later = await findBehind(live, world);
  return later && `Without a stream ${later.message}`;
}

/** While nobody looks at a device, it asks for nothing; once somebody does, it shows everything at once. */
async function findRestless(live: readonly Device[], world: World): Promise<string | undefined> {
  const { host } = world;
  for (const device of live) device.setSeen(false);
  await world.runFor(REST_MS);
  const sentBy = await sentDuring(live, async () => {
    await host.writePastSync({ objectName: 'note', recordId: 'unseen', operation: 'update', data: {} });
    await world.runFor(MINUTE_MS);
  });
  for (const [{ name, plugin }, { requests, streams }] of sentBy) {
    const isAtRest = requests + streams + world.streams.servedTo(name) === 0 && plugin?.client.status.live === 'off';
    if (!isAtRest) return `${name} goes on although nobody looks at it.`;
  }
  // Of several tabs, the user looks at one that did not lead.
  const seen = live.filter((device) => !device.isLeading || world.tabsOf(device).length === 1);
  for (const device of seen) device.setSeen(true);
  await world.runFor(PROMPT_MS + (world.plan.world.tabs ? TAKE_MS : 0));
  const late = await findBehind(live, world);
  for (const device of live) device.setSeen(true);
  return late && `When somebody looked again, ${late.message}`;
}

/** No stream goes on for a client that is closed. */
async function findLeftOpen(live: readonly Device[], world: World): Promise<string | undefined> {
  for (const device of live) void device.close();
  await world.runFor(PROMPT_MS);
  const left = live.find(({ name }) => world.streams.servedTo(name) > 0);
  if (left) return `${left.name} is closed, and the server goes on with its stream.`;
  await world.runFor(ENDED_MS);
  return world.streams.served > 0 ? 'The server goes on with a stream for nobody.' : undefined;
}

/** What is behind the server on a device, in its local data engine, or in what one of its tabs shows. */
async function findBehind(devices: readonly Device[], world: World): Promise<Violation | undefined> {
  const { host, permissions } = world;
  const shown = devices.flatMap((device) => {
    const { name, user, plugin } = device;
    const lists = () => OBJECT_NAMES.map((objectName) => plugin?.getEngine(objectName).records.list() ?? []);
    const records = async () => (await callIn(() => Promise.all(lists()), world)).flat();
    return device.browser ? [{ name, user, keeps: device.keeps.bind(device), records }] : [];
  });
  const difference = await findDifference([...devices, ...shown], host, permissions);
  return difference ?? compareEngines(devices, world, new Map());
}

/** Whether it has a stream that lasts. */
function hasStream({ plugin, way }: Device): boolean {
  return way === 'free' && plugin?.client.status.live === 'open';
}

/** What devices send while something is done. */
async function sentDuring(
  devices: readonly Device[],
  work: () => Promise<void>,
): Promise<ReadonlyMap<Device, Device['sent']>> {
  const before = devices.map(({ sent }) => ({ ...sent }));
  await work();
  return new Map(
    devices.map((device, index) => {
      const { requests = 0, streams = 0 } = before[index] ?? {};
      return [device, { requests: device.sent.requests - requests, streams: device.sent.streams - streams }];
    }),
  );
}
