/** How the data engine comes to know its organizations before a transaction needs them. */
import { AS_SYSTEM, type DataEngine } from './data-engine.js';
import { systemObject } from './system-object.js';

const PROBE = 'objectstack_sync_probe';

/** What {@link probeOrganizations} needs: the one object of sync whose records the engine gives an organization. */
export const PROBE_OBJECT = {
  ...systemObject(PROBE, 'Sync probe', { fields: { note: { type: 'text' } } }),
  systemFields: undefined,
  tenancy: undefined,
};

/**
 * Makes the engine look up the organizations with which it stamps records. It does so at the first insert, and the
 * look-up fails if there are none: inside a transaction, PostgreSQL would then refuse everything that follows.
 */
export async function probeOrganizations(engine: DataEngine): Promise<void> {
  const id = 'probe';
  // With several organizations the engine refuses the record, but it has looked them up by then.
  await engine.insert(PROBE, { id, note: 'to be deleted' }, { context: AS_SYSTEM }).catch(() => {});
  await engine.delete(PROBE, { where: { id: { $in: [id] } }, multi: true, context: AS_SYSTEM });
}
