/** The lists that rules about rows speak of, e.g. `{ teams: ['north', 'south'] }`: as an application's own resolver tells them. */
import type { EngineContext } from '@objectql/sync-types/kernel';

/** What is needed of the application's service `rls-membership-resolver`. */
export interface MembershipResolver {
  resolve(user: EngineContext): Promise<Readonly<Record<string, unknown>>>;
}

/** By name, the lists of this user; of the rest that a resolver answers the platform takes nothing. Rejects when it does. */
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

/** What the platform alone says of a user. */
const RESERVED = ['id', 'organization_id', 'positions', 'org_user_ids', 'accessible_org_ids', 'email'];
