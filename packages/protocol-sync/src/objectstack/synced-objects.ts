/** Reads from the objects' definitions which of them are synced. */
import type { SyncConfig } from '@objectql/sync-types';
import type { DataEngine, EngineObject } from '@objectql/sync-types/kernel';
import { checkObjectConfig, type ObjectConfigs, readObjectConfigs } from '../rules/object-configs.js';
import { FEED } from './engine-objects.js';

/**
 * The sync configuration of every object in the registry; `given`, as read from `*.object.yml`, overrides a definition.
 * Throws when a `sync` block is malformed, or when an object that is to be synced cannot be.
 */
export function readSyncedObjects(engine: DataEngine, given: ObjectConfigs = {}): ReadonlyMap<string, SyncConfig> {
  const defined = engine.registry.getAllObjects().flatMap((object) => {
    const config = configOf(object);
    return config ? [[object.name, config] as const] : [];
  });
  const objects = new Map([...defined, ...readObjectConfigs(given)]);
  const driver = engine.getDriverForObject(FEED);
  for (const [objectName, { enabled }] of objects) {
    if (!enabled) continue;
    // The registry also finds an object named `crm__task` as `task`; its writes are followed by its full name alone.
    if (engine.registry.getObject(objectName)?.name !== objectName) {
      throw new Error(
        `Sync: there is no object '${objectName}' in the registry. Define it, or take it out of 'objects'.`,
      );
    }
    if (engine.getDriverForObject(objectName) !== driver) {
      const why = 'is not in the default datasource, and a transaction covers no other';
      throw new Error(`Sync: '${objectName}' ${why}. Move it there, or set sync.enabled to false for it.`);
    }
  }
  return objects;
}

function configOf({ name, sync }: EngineObject): SyncConfig | undefined {
  if (sync === undefined) return undefined;
  checkObjectConfig(sync, `Sync: the definition of '${name}' is wrong: sync`);
  return sync;
}
