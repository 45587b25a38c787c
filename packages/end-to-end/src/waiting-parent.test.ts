/** A resolver that asks a device to come again, because what its record belongs to is not there yet. */
import { SyncPlugin } from '@objectql/plugin-sync';
import { TestPlatform } from '@objectql/plugin-sync/testing';
import { type RecordResolver, RejectionError, storeResolver } from '@objectql/protocol-sync';
import { TestServer } from '@objectql/protocol-sync/testing';
import { expect, it } from 'vitest';

/** Its first write of a site fails, and it takes no inspection whose site is missing. */
function inspectionResolver(written: string[], transactional: boolean): RecordResolver {
  const table = new Map<unknown, object>();
  let failuresLeft = 1;
  return {
    transactional,
    getRecord: (_objectName, recordId) => table.get(recordId),
    applyMutation({ objectName, recordId, data }) {
      if (objectName === 'site' && failuresLeft-- > 0) throw new Error('The database is busy.');
      if (objectName === 'inspection' && !table.has(data?.site))
        throw new RejectionError('RATE_LIMITED', 'Its site is not there yet.');
      table.set(recordId, { ...data });
      written.push(String(recordId));
    },
  };
}

it.each([
  ['in the transaction', true],
  ['outside of the transaction', false],
])('tries again what a resolver %s refuses with RATE_LIMITED', async (_where, transactional) => {
  const written: string[] = [];
  const platform = new TestPlatform();
  const resolver = inspectionResolver(written, transactional);
  await using server = new TestServer({ resolver, now: () => platform.now(), onWarning: () => {} });
  await using phone = new SyncPlugin({ clientId: 'phone', transport: server, platform });
  phone.getEngine('site').records.create('mill', { name: 'Mill' });
  const { id } = phone.getEngine('inspection').records.create('roof', { site: 'mill' });
  phone.getEngine('note').records.create('n1', { text: 'passes meanwhile' });
  await phone.syncAll();
  expect([written, phone.client.status.pending]).toEqual([['n1'], 2]);
  await platform.advance(120_000);
  expect({
    written,
    status: phone.client.status,
    outcome: await phone.getEngine('inspection').settled(id),
  }).toMatchObject({
    written: ['n1', 'mill', 'roof'],
    status: { pending: 0, deadLetters: 0 },
    outcome: { status: 'applied', version: 1 },
  });
});

it('makes a dead letter of what a resolver goes on refusing with RATE_LIMITED while others pass', async () => {
  const platform = new TestPlatform();
  const resolver: RecordResolver = {
    ...storeResolver,
    applyMutation({ objectName }) {
      if (objectName === 'inspection') throw new RejectionError('RATE_LIMITED', 'Its site is not there yet.');
    },
  };
  await using server = new TestServer({ resolver, now: () => platform.now() });
  await using phone = new SyncPlugin({ clientId: 'phone', transport: server, platform });
  const { id } = phone.getEngine('inspection').records.create('roof', { site: 'no such site' });
  await platform.advance(60 * 60_000);
  const alone = phone.client.status.deadLetters;
  for (let n = 1; n <= 20; n++) {
    phone.getEngine('note').records.create(`n${n}`, { text: 'passes' });
    await platform.advance(60_000);
  }
  expect([alone, await phone.getEngine('inspection').settled(id)]).toEqual([
    0,
    { status: 'rejected', code: 'RATE_LIMITED', reason: 'Its site is not there yet.' },
  ]);
});
