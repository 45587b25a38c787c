/** The objects in which sync keeps its own state in a data engine, on either side. */
import type { DataEngine } from './data-engine.js';

/** The differences between such objects. */
export interface SystemObjectParts {
  /** The type of each field, with its settings. */
  readonly fields: Readonly<Record<string, object>>;
  readonly indexes?: readonly object[];
}

/** An object that only the system reads and writes, without the fields that ObjectStack adds to others. */
export function systemObject(name: string, label: string, parts: SystemObjectParts) {
  const fields = Object.entries(parts.fields).map(([field, type]) => [field, { name: field, label: field, ...type }]);
  return {
    name,
    label,
    isSystem: true,
    managedBy: 'engine-owned',
    ownership: 'none',
    systemFields: false,
    tenancy: { enabled: false },
    access: { default: 'private' },
    enable: { apiEnabled: false, trackHistory: false, searchable: false },
    ...parts,
    fields: Object.fromEntries(fields),
  };
}

/**
 * Defines the objects that are not defined yet, as objects of a package; the engine makes their tables when it starts.
 */
export function defineSystemObjects(
  { registry }: Pick<DataEngine, 'registry'>,
  definitions: readonly { readonly name: string }[],
  packageName: string,
): void {
  for (const definition of definitions) {
    if (!registry.getObject(definition.name)) registry.registerObject(definition, packageName);
  }
}
