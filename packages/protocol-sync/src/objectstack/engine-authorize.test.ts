import { expect, it } from 'vitest';
import { engineAuthorize } from './engine-authorize.js';

/** What the platform says of one user, listed in an order of its database's. */
function scopeWhen(inOrder: <Item>(list: readonly Item[]) => readonly Item[]) {
  const authorize = engineAuthorize({ readAll: async () => new Map() }, () => ({
    security: { resolvePermissionSetsForContext: async () => inOrder([{ name: 'sales' }, { name: 'support' }]) },
    membership: { resolve: async () => ({ teams: inOrder(['north', 'south']) }) },
  }));
  const context = { positions: inOrder(['clerk', 'everyone']), permissions: inOrder(['sales', 'support']) };
  return authorize.scope?.({ id: 'ada', context });
}

it('lets nobody walk the feed anew because a database lists the same rights in another order', async () => {
  expect(await scopeWhen((list) => list.toReversed())).toBe(await scopeWhen((list) => list));
});
