/** Carries out what only happens to tabs. */
import type { Device } from '../device.js';
import type { Action } from '../plan.js';
import { Random } from '../random.js';
import type { World } from '../world.js';

type Of<Name extends Action['do']> = Extract<Action, { readonly do: Name }>;

/** 30 ms: how long a page lives on at most that its user has left. */
const LEAVING_MS = 30;
/** 5 s: how long other tabs go on at most after the user has signed out in one. */
const RELOAD_MS = 5000;

/** Lets nothing go on in a tab for a while. */
export function stopTab({ how, forMs }: Of<'stopTab'>, device: Device, world: World): void {
  device.stop(how);
  world.time.after(forMs, () => device.goOn());
}

/** Closes a tab, and opens it again after a while. */
export function closeTab({ isTold, forMs }: Of<'closeTab'>, device: Device, world: World): void {
  const { plugin, starts } = device;
  if (!isTold || !plugin || !device.browser) return device.crash(forMs);
  plugin.close().catch((error: unknown) => world.log(`${device.name}: could not close, ${error}`));
  const leavingMs = new Random(world.plan.seed, 'leaving', world.time.now()).between(0, LEAVING_MS);
  world.time.after(leavingMs, () => {
    if (device.starts === starts) device.crash(forMs);
  });
}

/** Deletes what is stored, as the app does when its user signs out in one tab; the others soon reload. */
export function signOut(device: Device, world: World): void {
  const { plugin, disk } = device;
  const work = async () => {
    await plugin?.close().catch((error: unknown) => world.log(`${device.name}: could not close, ${error}`));
    if (!plugin || device.plugin !== plugin) return;
    world.log(`${device.name}: deletes what is stored`);
    disk.clear();
    device.crash();
    const random = new Random(world.plan.seed, 'sign out', world.time.now());
    for (const tab of world.tabsOf(device)) {
      const { starts } = tab;
      tab.tellLost();
      world.time.after(random.between(0, RELOAD_MS), () => {
        if (tab.starts === starts) tab.crash();
      });
    }
  };
  work().catch((error: unknown) => world.log(`${device.name}: could not sign out, ${error}`));
}
