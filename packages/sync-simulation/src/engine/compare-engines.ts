/** Compares the local data engines of devices with the server. */
import type { Device } from '../device.js';
import type { Violation } from '../violation.js';
import type { World } from '../world.js';
import { compareEngine } from './engine-difference.js';
import { refusedRecord } from './engine-refusals.js';

/** What the engine of each device refuses of what its user should see. */
export type Refused = Map<Device, ReadonlySet<string>>;

/** The first difference; notes in `refused` what only differs because an engine refuses it. */
export function compareEngines(
  devices: readonly Device[],
  { host, permissions, plan }: World,
  refused: Refused,
): Violation | undefined {
  const { engines } = plan.world;
  for (const device of devices) {
    const { engine, plugin, owner, name } = device;
    const { app, place } = engine ?? {};
    if (!app || !place || !plugin || !engines) continue;
    const found = compareEngine(place, host.truth, {
      keeps: (objectName) => device.keeps(objectName),
      viewOf: ({ objectName }, data) => permissions.viewOf(owner, objectName, data),
      isRecorded: (objectName) => !plugin.client.configs.refusalOf(objectName),
      refusedFor: (difference) => refusedRecord(difference, { plan: engines, database: place.database }),
      isTold: (record) => [...app.reports].some((report) => report.includes(record)),
    });
    if (found.violation) return { ...found.violation, message: `${name}: ${found.violation.message}` };
    refused.set(device, found.refused);
  }
  return undefined;
}
