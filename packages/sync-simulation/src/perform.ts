/** Carries out one action of a schedule. */
import { assertNever, type Json, type MutationLogEntry, type RecordRef } from '@objectql/sync-types';
import type { Device } from './device.js';
import { editEngine } from './engine/edit-engine.js';
import type { Action, Edit } from './plan.js';
import { Random } from './random.js';
import { nameOf } from './record-name.js';
import { closeTab, signOut, stopTab } from './tabs/perform-in-tab.js';
import type { World } from './world.js';

export async function perform(action: Action, world: World): Promise<void> {
  const { host, permissions } = world;
  switch (action.do) {
    case 'edit':
      return edit(action, world.device(action.device), world);
    case 'sync':
      return sync(world.device(action.device));
    case 'goOffline':
    case 'goOnline':
      for (const tab of world.tabsOf(world.device(action.device))) tab.setOnline(action.do === 'goOnline');
      return;
    case 'hide':
    case 'show':
      world.device(action.device).setSeen(action.do === 'show');
      return;
    case 'pause':
      return pause(world.device(action.device), world);
    case 'crash':
      world.device(action.device).crash();
      return;
    case 'crashAt':
      world.device(action.device).crashAt(action.operation, action.when);
      return;
    case 'stopTab':
      return stopTab(action, world.device(action.device), world);
    case 'closeTab':
      return closeTab(action, world.device(action.device), world);
    case 'signOut': {
      const device = world.device(action.device);
      return device.browser ? signOut(device, world) : clear(device, world);
    }
    case 'clear':
      return clear(world.device(action.device), world);
    case 'loseRecords':
      return world.withoutApps(world.device(action.device).disk, (disk) => disk.loseRecords());
    case 'cutPower': {
      const device = world.device(action.device);
      return world.withoutApps(device.disk, () => device.cutPower(action.share));
    }
    case 'fork':
      return fork(world.device(action.device), world);
    case 'openTab':
      return openTab(world.device(action.device), world);
    case 'backUp':
      return world.backUp(world.device(action.device).disk);
    case 'fallBack':
      return world.withoutApps(world.device(action.device).disk, (disk) => world.fallBack(disk));
    case 'mixUpSession':
      return mixUpSession(world.device(action.device), world);
    case 'expireSession':
      return expireSession(world.device(action.device), world);
    case 'setClock':
      for (const tab of world.tabsOf(world.device(action.device))) tab.aheadMs = action.aheadMs;
      return;
    case 'resolve':
      return resolve(action, world.device(action.device));
    case 'answerDeadLetter':
      return answerDeadLetter(action, world.device(action.device));
    case 'crashServer':
      host.crash(action.downMs);
      return;
    case 'stopServer':
      host.stop(action.downMs);
      return;
    case 'crashServerAt':
      host.crashAt(action.operation, action.when);
      return;
    case 'restore':
      return host.restore(action.share);
    case 'prune':
      world.isUndisturbed = false;
      void host.prune();
      return;
    case 'writePastSync': {
      const { objectName, recordId, wish: operation, fields, value } = action;
      const data = Object.fromEntries(fields.map((field) => [field, `past:${value}`]));
      void host.writePastSync({ objectName, recordId, operation, data });
      return;
    }
    case 'grant':
      permissions.setGrant(world.device(action.device).user, action.objectName, action.isGranted);
      return;
    case 'hideField': {
      const { objectName, field, isHidden } = action;
      permissions.setHidden({ user: world.device(action.device).user, objectName, field }, isHidden);
      return;
    }
    case 'reuseId':
      return reuseId(action, world.device(action.device), world);
    case 'setLimits':
      host.setLimits({ maxPageRecords: action.pageRecords, maxMutations: action.maxMutations });
      return;
    case 'endSync':
      return endSync(world.device(action.device), world);
    case 'signIn':
      return signIn(action, world.device(action.device), world);
    case 'failCommits':
      world.device(action.device).engine?.failCommits(action.share, action.forMs);
      return;
    case 'cutEngine':
      return cutEngine(action, world.device(action.device), world);
    default:
      return assertNever(action);
  }
}

type Of<Name extends Action['do']> = Extract<Action, { readonly do: Name }>;

/** The user changes what they see. Nobody waits for it, because reading may take its time. */
function edit({ edits }: Pick<Of<'edit'>, 'edits'>, device: Device, world: World): void {
  const { plugin, engine } = device;
  if (!plugin) return;
  // If the application refuses a create, it rightly refuses the updates that follow.
  if (edits.some(({ special }) => special !== 'none')) world.isUndisturbed = false;
  if (engine?.app) {
    const random = new Random(world.plan.seed, 'engine edit', edits[0]?.value ?? 0);
    const onFailed = (error: unknown) => world.log(`${device.name}: could not edit, ${error}`);
    const dataOfEdit = (change: Edit) => dataOf(change, device, world);
    const pause = (ms: number) => world.time.sleep(ms);
    editEngine({ app: engine.app, edits, random, dataOf: dataOfEdit, onFailed, pause }).catch(onFailed);
    return;
  }
  const work = async () => {
    const made: string[] = [];
    for (const change of edits) {
      const { records } = plugin.getEngine(change.objectName);
      const seen = await records.get(change.recordId);
      if (plugin !== device.plugin) return;
      const data = dataOf(change, device, world);
      const mutation = !seen
        ? records.create(change.recordId, data)
        : change.wish === 'delete'
          ? await records.delete(change.recordId)
          : await records.update(change.recordId, data);
      made.push(mutation.id);
      device.made(mutation.id);
      device.app?.noteMade(mutation.id);
      // The last of several speaks for all.
      if (made.length === edits.length) device.app?.expect('settled', plugin.client.settled(mutation.id));
    }
    await device.follow(made);
  };
  work().catch((error: unknown) => world.log(`${device.name}: could not edit, ${error}`));
}

/** A mistake of the application: it gives the user's change the id of another device's mutation. */
function reuseId({ nth, edit }: Of<'reuseId'>, device: Device, world: World): void {
  const { plugin } = device;
  const { objectName, recordId } = edit;
  const isElsewhere = (said: RecordRef | undefined) => said && nameOf(said) !== nameOf({ objectName, recordId });
  const applied = [...world.host.truth.everApplied.keys()].filter((id) => isElsewhere(world.wire.said(id)));
  const id = applied[nth % applied.length];
  if (!plugin || id === undefined) return;
  const data = dataOf(edit, device, world);
  const work = async () => {
    const engine = plugin.getEngine(objectName);
    const seen = await engine.records.get(recordId);
    // Its own ids may be on their way through the log, where no application can get at them.
    if (plugin !== device.plugin || device.hasLogged(id)) return;
    const operation = seen ? 'update' : 'create';
    const baseVersion = seen?.version ?? null;
    device.reuse(id, () => engine.recordMutation({ objectName, recordId, operation, data, baseVersion }));
    await device.follow([id]);
  };
  work().catch((error: unknown) => world.log(`${device.name}: could not edit, ${error}`));
}

function dataOf(
  { fields, value, isCommon, special, parent }: Edit,
  { user }: Device,
  world: World,
): Record<string, Json> {
  const written = isCommon ? `common ${value % 2}` : `${user}:${value}`;
  const data: Record<string, Json> = Object.fromEntries(fields.map((field) => [field, written]));
  if (parent !== undefined) data.parent = parent;
  if (special === 'none') return data;
  const random = new Random(world.plan.seed, 'special', value);
  const users: readonly [string, ...string[]] = ['u0', 'u1', 'u2'];
  return { ...data, [special]: special === 'private' ? random.pick(users) : value };
}

function sync({ plugin, app }: Device): void {
  const ended = plugin?.syncAll();
  if (ended) app?.expect('sync', ended);
}

function pause(device: Device, world: World): void {
  const { plugin } = device;
  plugin?.client.pause();
  world.time.after(5000, () => {
    // Of several tabs, the user takes one that is there.
    const [tab] = world.tabsOf(device).filter((one) => one.plugin);
    (device.browser ? tab?.plugin : plugin)?.client.resume();
  });
}

/** 5: as many as one server process and one core can follow in milliseconds. */
const MAX_DEVICES = 5;
const MAX_TABS = 4;

/** A device from another one's backup: both believe to be the original. */
async function fork(original: Device, world: World): Promise<void> {
  if (world.devices.length >= MAX_DEVICES) return;
  const copy = world.addDevice(original.clientId, original.owner, { browser: world.newBrowser() });
  await copy.disk.copyFrom(original.disk);
  copy.start();
}

function openTab(device: Device, world: World): void {
  if (device.browser ? world.tabsOf(device).length >= MAX_TABS : world.devices.length >= MAX_DEVICES) return;
  world.addTab(device).start();
}

function mixUpSession(device: Device, world: World): void {
  // A log that the server does not know yet would become the other user's for good.
  if (!world.host.truth.ownerByLog.has(device.disk.shadow.meta?.logId ?? '')) return;
  const other = device.owner === 'u0' ? 'u1' : 'u0';
  for (const tab of world.tabsOf(device)) tab.user = other;
  world.time.after(60_000, () => {
    for (const tab of world.tabsOf(device)) tab.user = device.owner;
    device.plugin?.client.resume();
  });
}

function expireSession(device: Device, world: World): void {
  for (const tab of world.tabsOf(device)) tab.isSignedIn = false;
  world.time.after(60_000, () => {
    for (const tab of world.tabsOf(device)) tab.isSignedIn = true;
    device.plugin?.client.resume();
  });
}

function resolve({ choice }: Of<'resolve'>, device: Device): void {
  const { conflicts } = device.plugin?.client ?? {};
  const parked = conflicts?.list()[0];
  if (!conflicts || !parked) return;
  const { serverRecord, clientMutation } = parked.conflict;
  const merged = { ...serverRecord, ...clientMutation.data };
  device.forget(parked.id);
  device.decide(conflicts.resolve(parked.id, choice === 'merged' ? merged : choice)).then(
    (made) => {
      if (made) device.made(made.id);
      return made && device.follow([made.id]);
    },
    () => {},
  );
}

function answerDeadLetter({ choice }: Of<'answerDeadLetter'>, device: Device): void {
  const letters = device.plugin?.client.deadLetters;
  const letter = letters?.list()[0];
  if (!letters || !letter) return;
  device.forget(letter.id);
  const answered = choice === 'retry' ? letters.retry(letter.id) : letters.discard(letter.id);
  device.decide<MutationLogEntry | undefined>(answered.then((made) => made ?? undefined)).then(
    (made) => {
      if (made) device.made(made.id);
      return made && device.follow([made.id]);
    },
    () => {},
  );
}

/** The device loses what sync has stored; what waits in its engine is kept. */
async function clear({ disk, engine, owner }: Device, world: World): Promise<void> {
  await world.withoutApps(disk, () => disk.clear());
  for (const id of engine?.place.waitingOf(owner) ?? []) disk.told.add(id);
}

function endSync(device: Device, world: World): void {
  const { app } = device.engine ?? {};
  if (!app) return;
  app.end().catch((error: unknown) => world.log(`${device.name}: could not end sync, ${error}`));
  world.time.after(20_000, () => {
    if (device.engine?.app === app) device.crash();
  });
}

function signIn({ edits }: Of<'signIn'>, device: Device, world: World): void {
  const { engine } = device;
  const clientId = `${device.clientId}-guest`;
  // A client with another storage would record what waits in the name of this one.
  const known = world.devices.find((one) => one.clientId === clientId);
  if (!engine?.app || (!known && world.devices.length >= MAX_DEVICES)) return;
  world.isUndisturbed = false;
  const user = device.owner === 'u0' ? 'u1' : 'u0';
  const guest = known ?? world.addDevice(clientId, user, { place: engine.place });
  guest.crash();
  if (guest.engine) guest.engine.isOwn = true;
  device.lendTo(guest);
  world.time.after(5000, () => edit({ edits }, guest, world));
  world.time.after(60_000, () => {
    if (device.guest === guest) device.comeBack();
  });
}

function cutEngine({ commits }: Of<'cutEngine'>, device: Device, { devices }: World): void {
  const { engine } = device;
  if (!engine?.app) return;
  device.crash();
  const lost = engine.place.cutPower(commits);
  // Another user's device may have been the last to write into the engine.
  for (const { disk } of devices) for (const id of lost) if (!disk.shadow.holds(id)) disk.told.delete(id);
}
