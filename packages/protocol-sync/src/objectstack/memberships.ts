/**
 * The lists to which rules about rows refer, e.g. `{ teams: ['north', 'south'] }`, from the application's own resolver.
 */
import type { EngineContext } from '@objectql/sync-types/kernel';

/** The part of the application's service `rls-membership-resolver` that sync needs. */
export interface MembershipResolver {
  resolve(user: EngineContext): Promise<Readonly<Record<string, unknown>>>;
}

/** This user's lists by name; like the platform, ignores all else that the resolver answers. Rejects when it does. */
export async function membershipsOf(
  resolver: MembershipResolver | undefined,
  user: EngineContext,
): Promise<Readonly<Record<string, readonly unknown[]>>> {
  const answered = (await resolver?.resolve(user)) ?? {};
  const lists = Object.entries(answered).flatMap(([name, list]) =>
    Array.isArray(list) ? [[name, list] as const] : [],
  );
  return Object.fromEntries(lists.filter(([name]) => !RESERVED.includes(name)));
}

/** What only the platform says of a user. */
const RESERVED = ['id', 'organization_id', 'positions', 'org_user_ids', 'accessible_org_ids', 'email'];
