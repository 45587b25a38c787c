/** Each object's `sync` block, as applications give it. */
import type { SyncConfig } from '@objectql/sync-types';
import { syncBlockSchema } from '@objectql/sync-types/schema';

/** By the object's name. */
export type ObjectConfigs = ReadonlyMap<string, SyncConfig> | Readonly<Record<string, SyncConfig>>;

/** The configurations as a map; a given map is returned as it is. Throws `TypeError` for a malformed configuration. */
export function readObjectConfigs(objects: ObjectConfigs): ReadonlyMap<string, SyncConfig> {
  if (typeof objects !== 'object' || Array.isArray(objects)) {
    throw new TypeError('objects must be a Map or an object of sync blocks by name: { task: { enabled: true } }.');
  }
  const byName =
    objects instanceof Map ? (objects as ReadonlyMap<string, SyncConfig>) : new Map(Object.entries(objects));
  for (const [objectName, config] of byName) checkObjectConfig(config, `objects.${objectName}`);
  return byName;
}

/** Throws `TypeError` for a malformed configuration; the message names the first wrong key and begins with `where`. */
export function checkObjectConfig(config: unknown, where: string): asserts config is SyncConfig {
  const { strategy } = Object(config) as { readonly strategy?: unknown };
  // A strategy may be a function here, which metadata cannot contain.
  const checked = typeof strategy === 'function' ? { ...Object(config), strategy: undefined } : config;
  const [issue] = syncBlockSchema.safeParse(checked).error?.issues ?? [];
  if (!issue) return;
  const path = [where, ...issue.path].join('.');
  if (issue.code !== 'unrecognized_keys') throw new TypeError(`${path} ${issue.message}.`);
  throw new TypeError(`${path}.${issue.keys[0]} is unknown. Known: ${Object.keys(syncBlockSchema.shape).join(', ')}.`);
}
