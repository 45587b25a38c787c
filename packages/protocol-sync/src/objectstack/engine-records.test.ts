import { expect, it } from 'vitest';
import { contextOf } from './engine-records.js';

it.each([
  [{ id: 'ada' }, { userId: 'ada' }],
  [
    { id: 'ada', context: { userId: 'ada', tenantId: 'acme' } },
    { userId: 'ada', tenantId: 'acme' },
  ],
  [
    { id: 'ada', context: { ip: '::1' } },
    { userId: 'ada', ip: '::1' },
  ],
  [{ id: 'ada', context: null }, { userId: 'ada' }],
])('I12 reads and writes as the user that %j names', (principal, context) => {
  expect(contextOf(principal)).toEqual(context);
});
