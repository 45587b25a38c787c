/** A device's sync configuration of the objects. */
import type { SyncConfig } from '@objectql/sync-types';
import { OBJECT_NAMES } from './disk.js';
import type { WorldPlan } from './plan.js';

/** By object; a device with a local data engine may send projects only, or receive them only. */
export function configsOf(world: WorldPlan, hasEngine: boolean): Readonly<Record<string, SyncConfig>> {
  return Object.fromEntries(
    OBJECT_NAMES.map((name): readonly [string, SyncConfig] => [
      name,
      {
        enabled: true,
        strategy: world.objects[name].strategy,
        debounce_ms: world.debounceMs,
        batch_size: world.batchSize,
        ...(hasEngine && name === 'project' ? { direction: world.engines?.projects } : {}),
        ...(world.objects[name].conflictFields ? { conflict_fields: world.objects[name].conflictFields } : {}),
      },
    ]),
  );
}
