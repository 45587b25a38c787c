/** The second half of a schedule: no more faults, and everything must come to rest and agree. */
import type { SyncClient } from '@objectql/plugin-sync';
import { createNote } from './create-note.js';
import type { Device } from './device.js';
import { compareEngines, type Refused } from './engine/compare-engines.js';
import { editAtRest } from './engine/edit-at-rest.js';
import { findDifference } from './invariants/convergence.js';
import { findWrongLive } from './live-at-rest.js';
import { callIn } from './tabs/at-rest.js';
import { findUnlike, findWrongTabs } from './tabs/tabs-at-rest.js';
import type { Violation } from './violation.js';
import type { World } from './world.js';

/** 90 s for each round of the time in which everything must settle: a held record waits at most a minute. */
const ROUND_MS = 90_000;
/** 40 rounds, an hour: automatic resolutions, retries and walks of all devices, one after another, end long before. */
const MAX_ROUNDS = 40;
/**
 * 10 more rounds for each mutation that never passes: it is set aside at its 10th failure after which something else
 * passed, which happens once a round, and later mutations of its record wait until then.
 */
const ROUNDS_FOR_POISON = 10;
/** 1 round in which users insist on their changes; then they give in, or two of them would go on for ever. */
const INSISTENT_ROUNDS = 1;
/** 10 minutes: copies may take an hour, which is six such steps. */
const LATE_MS = 600_000;

/** Ends the faults, and reports what does not settle or agree. */
export async function settle(world: World): Promise<void> {
  world.endFaults();
  // Late copies belong to the faults: their changes must be settled as well.
  while (world.messagesUnderWay > 0 && !world.verdict.first) await world.runFor(LATE_MS);
  const refused = await comeToRest(world);
  if (refused) await goOn(world, refused);
}

/**
 * Lets time pass until nothing is left to do and all agree, and answers what local data engines refuse of it. Reports
 * what does not settle or agree.
 */
async function comeToRest(world: World): Promise<Refused | undefined> {
  const { devices, verdict } = world;
  const poison = new Set<string>();
  let rounds = MAX_ROUNDS;
  let engineDifference: Violation | undefined;
  for (let round = 0; round < rounds; round++) {
    for (const device of devices) {
      device.heal();
      for (const id of device.pendingPoison()) poison.add(id);
      // Users go on working: a mutation that keeps failing is set aside when other changes pass it.
      if (round > 0 && device.plugin && device.plugin.client.status.pending > 0)
        createNote(device, `diary of ${device.name}, ${world.time.now()}`);
      void device.plugin?.syncAll();
    }
    await world.runFor(ROUND_MS);
    const unlike = await findUnlike(world);
    if (unlike) verdict.report('tabs', unlike);
    if (verdict.first) return undefined;
    if (await haveSettled(world, round)) {
      const refused: Refused = new Map();
      engineDifference = await compare(world, refused);
      if (verdict.first) return undefined;
      if (!engineDifference) return refused;
    }
    rounds = MAX_ROUNDS + ROUNDS_FOR_POISON * poison.size;
  }
  if (engineDifference) verdict.report(engineDifference.invariant, engineDifference.message);
  const left = devices.map(({ name, plugin }) => `${name}: ${JSON.stringify(plugin?.client.status)}`);
  verdict.report('I13', `Not settled after ${rounds} rounds without faults. ${left.join('; ')}`);
  return undefined;
}

/** Whether nothing is left to do; where users have to decide, they do. */
async function haveSettled(world: World, round: number): Promise<boolean> {
  let isWaiting = false;
  for (const device of world.devices) {
    const { plugin, engine, owner } = device;
    if (!plugin) return false;
    const { client } = plugin;
    const decided = () => decideAll(device, { client, isInsistent: round < INSISTENT_ROUNDS });
    // The storage of tabs takes its time.
    if (await (device.browser ? callIn(decided, world) : decided())) isWaiting = true;
    if (client.status.pending > 0 || client.status.state === 'syncing') isWaiting = true;
    if (engine?.app && engine.place.unrecorded(owner).length > 0) isWaiting = true;
  }
  return !isWaiting;
}

interface Deciding {
  readonly client: SyncClient;
  /** True for users who want their own change once more. */
  readonly isInsistent: boolean;
}

/** Decides what waits for the user; false if nothing did. */
async function decideAll(device: Device, { client, isInsistent }: Deciding): Promise<boolean> {
  const { conflicts, deadLetters } = client;
  let hasDecided = false;
  for (const { id } of conflicts.list()) {
    hasDecided = true;
    device.forget(id);
    await device.decide(conflicts.resolve(id, isInsistent ? 'mine' : 'theirs')).catch(() => {});
  }
  for (const { id } of deadLetters.list()) {
    hasDecided = true;
    device.forget(id);
    const answered = isInsistent ? deadLetters.retry(id) : deadLetters.discard(id);
    await device.decide<unknown>(answered).catch(() => {});
  }
  return hasDecided;
}

/**
 * Reports a replica that differs. Answers a difference of a local data engine: what it could not take is tried again
 * within a minute.
 */
async function compare(world: World, refused: Refused): Promise<Violation | undefined> {
  const { devices, host, permissions, verdict } = world;
  // One more round for what the last of them has sent.
  for (const device of devices) void device.plugin?.syncAll();
  await world.runFor(ROUND_MS);
  const difference = await findDifference(devices, host, permissions);
  if (!difference) return compareEngines(devices, world, refused);
  verdict.report(difference.invariant, difference.message);
  return undefined;
}

/** At rest, everything works as it should. */
async function goOn(world: World, refusedBy: Refused): Promise<void> {
  await editEngines(world, refusedBy);
  if (world.verdict.first) return;
  // What the apps have written there is sent before anything is measured.
  const { engines, live } = world.plan.world;
  if (engines && live && !(await comeToRest(world))) return;
  const divided = await findWrongTabs(world);
  if (divided) world.verdict.report('tabs', divided);
  if (world.verdict.first) return;
  const wrong = await findWrongLive(world);
  if (wrong) world.verdict.report('live', wrong);
}

/** The apps on local data engines go on. */
async function editEngines({ devices, host, verdict }: World, refusedBy: Refused): Promise<void> {
  for (const device of devices) {
    const { engine, plugin, name } = device;
    const refused = refusedBy.get(device);
    if (!engine?.app || !plugin || !refused || verdict.first) continue;
    const { app, place } = engine;
    const keeps = (objectName: string) => device.keeps(objectName);
    const wrong = await editAtRest({ app, place, client: plugin.client, keeps, refused }, host.truth);
    if (wrong) verdict.report(wrong.invariant, `${name}: ${wrong.message}`);
  }
}
