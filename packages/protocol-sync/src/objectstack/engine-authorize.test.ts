import { expect, it } from 'vitest';
import { engineAuthorize } from './engine-authorize.js';

/** What the platform says of one user, listed in an order of its database's. */
function scopeWhen(inOrder: <Item>(list: readonly Item[]) => readonly Item[]) {
  const authorize = engineAuthorize({ readAll: async () => new Map() }, () => ({
    security: { resolvePermissionSetsForContext: async () => inOrder([{ name: 'sales' }, { name: 'support' }]) },
    membership: {
      resolve: async () =>
        Object.fromEntries(
          inOrder([
            ['teams', inOrder(['north', 'south'])],
            ['sites', []],
          ]),
        ),
    },
  }));
  const context = { positions: inOrder(['clerk', 'everyone']), permissions: inOrder(['sales', 'support']) };
  return authorize.scope?.({ id: 'ada', context });
}

it('lets nobody walk the feed anew because a database lists the same rights in another order', async () => {
  expect(await scopeWhen((list) => list.toReversed())).toBe(await scopeWhen((list) => list));
});

it('takes nothing for a right of what a membership resolver adds to its lists, and the platform passes over', async () => {
  const scopeAt = (askedAt: number) =>
    engineAuthorize({ readAll: async () => new Map() }, () => ({
      security: undefined,
      membership: { resolve: async () => ({ teams: ['north'], askedAt, email: [askedAt] }) },
    })).scope?.({ id: 'ada' });
  expect(await scopeAt(1)).toBe(await scopeAt(2));
});

it.each(['tenantId', 'accessible_org_ids', 'email', 'posture', 'positions', 'permissions', 'systemPermissions'])(
  'I6 lets a device walk the feed anew when the %s of its user changes',
  async (right) => {
    const authorize = engineAuthorize({ readAll: async () => new Map() }, () => ({
      security: undefined,
      membership: undefined,
    }));
    const scopeOf = (value: string) => authorize.scope?.({ id: 'ada', context: { [right]: value } });
    expect(await scopeOf('one')).not.toBe(await scopeOf('other'));
  },
);
