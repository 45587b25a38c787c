/** ObjectStack's permissions as sync asks for them: what a user may read is what the data engine shows that user. */
import { type JsonObject, jsonEquals, type RecordRef, recordKey } from '@objectql/sync-types';
import type { EngineContext } from '@objectql/sync-types/kernel';
import type { Principal } from '../principal.js';
import type { Authorize, ReadPermission, ReadQuestion } from '../rules/authorize.js';
import { isForbidden } from './engine-error.js';
import { contextOf, type EngineRecords } from './engine-records.js';
import { type MembershipResolver, membershipsOf } from './memberships.js';

/**
 * The part of the service `security` that sync needs: what a user's permission sets contain. Contexts only name them.
 */
export interface SecurityService {
  resolvePermissionSetsForContext(context: EngineContext): Promise<readonly PermissionSet[]>;
}

/** Services that know more of a user's rights than the context does, if the kernel has them. */
export interface RightsServices {
  readonly security: SecurityService | undefined;
  readonly membership: MembershipResolver | undefined;
}

interface PermissionSet {
  readonly name: string;
  readonly objects?: unknown;
  readonly fields?: unknown;
  readonly rowLevelSecurity?: unknown;
}

/**
 * The parts of a user's context that decide what they may read; when one changes, their devices walk the feed anew.
 */
const RIGHTS = [
  'tenantId',
  'accessible_org_ids',
  'email',
  'posture',
  'positions',
  'permissions',
  'systemPermissions',
] as const;

/**
 * Reads as the caller, with one query for all questions asked at once. The engine judges writes when they are made.
 */
export function engineAuthorize(records: Pick<EngineRecords, 'readAll'>, services: () => RightsServices): Authorize {
  const batchOf = batches(records);
  return {
    async read({ principal, ...question }) {
      if (!principal) return 'allow';
      const seen = await batchOf(principal, question);
      return seen === 'nothing' ? 'hide' : permissionOf(question, seen.get(recordKey(question)));
    },
    async scope(principal) {
      const context = contextOf(principal);
      const { security, membership } = services();
      const sets = (await security?.resolvePermissionSetsForContext(context)) ?? [];
      // If the application authenticates callers itself, its contexts may lack the memberships.
      const memberships = context.rlsMembership ?? (await membershipsOf(membership, context));
      return JSON.stringify([
        ...RIGHTS.map((right) => inOrder(context[right])),
        ...contentsOf(sets),
        ...Object.entries(memberships)
          .map(([name, list]) => [name, inOrder(list)])
          .toSorted(),
      ]);
    },
  };
}

function contentsOf(sets: readonly PermissionSet[]): readonly unknown[] {
  const byName = sets.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return byName.map(({ name, objects, fields, rowLevelSecurity }) => [name, objects, fields, rowLevelSecurity]);
}

/** Databases answer the rows of a query in any order, and a different order does not change the rights. */
function inOrder(value: unknown): unknown {
  return Array.isArray(value) ? value.toSorted() : value;
}

/** Everybody who may read an object learns of a deleted record, but only its id. */
function permissionOf({ record }: Omit<ReadQuestion, 'principal'>, seen: JsonObject | undefined): ReadPermission {
  if (!record) return 'allow';
  if (!seen) return 'forget';
  // A value that reads differently is masked for this user, or is changing right now and comes again.
  const without = Object.keys(record).filter(
    (field) => !Object.hasOwn(seen, field) || !jsonEquals(seen[field], record[field]),
  );
  return without.length === 0 ? 'allow' : { without };
}

type Seen = ReadonlyMap<string, JsonObject> | 'nothing';

/** Gathers the questions of one turn of the event loop. */
function batches(records: Pick<EngineRecords, 'readAll'>) {
  const openByPrincipal = new WeakMap<
    Principal,
    Map<string, { readonly refs: RecordRef[]; readonly seen: Promise<Seen> }>
  >();
  return (principal: Principal, { objectName, recordId }: RecordRef): Promise<Seen> => {
    const open = openByPrincipal.get(principal) ?? new Map();
    openByPrincipal.set(principal, open);
    const batch = open.get(objectName) ?? begin();
    batch.refs.push({ objectName, recordId });
    return batch.seen;

    function begin() {
      const refs: RecordRef[] = [];
      const seen = Promise.resolve().then(() => {
        open.delete(objectName);
        return read(refs, principal);
      });
      const begun = { refs, seen };
      open.set(objectName, begun);
      return begun;
    }
  };

  async function read(refs: readonly RecordRef[], principal: Principal): Promise<Seen> {
    try {
      return await records.readAll(refs, contextOf(principal));
    } catch (error) {
      if (isForbidden(error)) return 'nothing';
      throw error;
    }
  }
}
