import { expect, test } from 'vitest';
import { pushBody } from '../http/requests.fixture.js';
import type { Authorize } from '../rules/authorize.js';
import { TestServer } from './test-server.js';

const BOB = { clientId: 'bob', protocol: 2, lastCheckpoint: null } as const;

test('applies what is pushed, and tells what a new device would be sent', async () => {
  await using server = new TestServer();
  const { results } = await server.push(pushBody());
  expect(results).toMatchObject([{ status: 'applied', serverVersion: 1 }]);
  expect(await server.records('task')).toEqual([{ recordId: 'task-1', version: 1, data: { title: 'Buy milk' } }]);
  expect(await server.records('note')).toEqual([]);
});

test('serves each user what that user may see', async () => {
  const authorize: Authorize = { read: ({ principal }) => (principal?.id === 'ada' ? 'allow' : 'hide') };
  // An interface, as applications declare theirs: TypeScript takes none for a record of claims.
  interface Person {
    readonly id: string;
  }
  const ada: Person = { id: 'ada' };
  const bob: Person = { id: 'bob' };
  await using server = new TestServer({ principal: ada, authorize });
  await server.push(pushBody());
  const [own, others] = await Promise.all([server.pull(BOB), server.as(bob).pull(BOB)]);
  expect([own.serverChanges.length, others.serverChanges.length]).toEqual([1, 0]);
});

test('refuses what a server refuses, with its status', async () => {
  await using server = new TestServer();
  const malformed = { ...BOB, lastCheckpoint: 'garbage' };
  await expect(server.pull(malformed)).rejects.toMatchObject({ status: 400, code: 'INVALID_CHECKPOINT' });
});

test('lives by the clock it is given, or by its own', async () => {
  await using own = new TestServer();
  await own.clock.advance(1000);
  await using given = new TestServer({ now: () => Date.UTC(2027, 0, 1) });
  const times = await Promise.all([own, given].map(async (server) => (await server.pull(BOB)).serverTime));
  expect(times).toEqual(['2026-01-01T00:00:01.000Z', '2027-01-01T00:00:00.000Z']);
});
