import { expect, test } from 'vitest';
import type { RecordResolver } from '../records/record-resolver.js';
import { brief, create, mutation, setUp } from '../sync-handler.fixture.js';
import { SyncHandler } from '../sync-handler.js';
import type { Authorize } from './authorize.js';

// An interface, as applications declare theirs: TypeScript takes none for a `Principal`.
interface Member {
  readonly id: string;
  readonly team: string;
  readonly roles?: readonly string[];
}

function isLead(member: Member | null): boolean {
  return member?.roles?.includes('lead') ?? false;
}

test('lets the compiler know the claims of rules and resolvers that say whom they are for', async () => {
  const authorize: Authorize<Member> = {
    read: ({ principal, record }) => (record === null || record.team === principal?.team ? 'allow' : 'hide'),
    // @ts-expect-error: a member has no `rolls`.
    write: ({ principal }) => isLead(principal) && principal?.rolls === undefined,
    scope: (principal) => principal?.team ?? '',
  };
  const writers: string[] = [];
  const resolver: RecordResolver<Member> = {
    getRecord: () => undefined,
    applyMutation: (_mutation, _version, { principal }) => void writers.push(principal?.team ?? 'nobody'),
  };
  const { store } = setUp();
  const handler = new SyncHandler({ store, authorize, resolver });
  const push = (principal: Member) =>
    handler.handlePush(
      {
        clientId: principal.id,
        lastCheckpoint: null,
        mutations: [create({ team: 'red' }, { clientId: principal.id })],
      },
      undefined,
      { principal },
    );
  expect(brief((await push({ id: 'ann', team: 'red', roles: ['lead'] })).results)).toEqual(['applied']);
  expect(brief((await push({ id: 'ben', team: 'red' })).results)).toEqual(['FORBIDDEN']);
  expect(writers).toEqual(['red']);
});

test('asks who may write what about the record as it stands', async () => {
  const { push } = setUp({ authorize: { write: ({ record }) => record === null || record.owner === 'ada' } });
  const made = ['ada', 'bob'].map((owner) => create({ owner }, { recordId: owner }));
  const edits = ['ada', 'bob'].map((recordId) => mutation({ recordId, data: { title: 'x' } }));
  expect(brief((await push({ mutations: [...made, ...edits] })).results)).toEqual([
    'applied',
    'applied',
    'applied',
    'FORBIDDEN',
  ]);
});
