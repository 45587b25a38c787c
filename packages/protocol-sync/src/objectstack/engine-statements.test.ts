/** How many statements sync adds to what ObjectStack's engine executes: each is a round trip to PostgreSQL. */
import type { MutationLogEntry } from '@objectql/sync-types';
import { AS_SYSTEM } from '@objectql/sync-types/kernel';
import { SqliteWasmDriver } from '@objectstack/driver-sqlite-wasm';
import type { ObjectQL } from '@objectstack/objectql';
import { expect, it, onTestFinished } from 'vitest';
import { SyncProtocolPlugin } from '../sync-protocol-plugin.js';
import { startKernel } from './kernel.fixture.js';

const system = { context: AS_SYSTEM } as const;
const fields = { title: { type: 'text', label: 'Title' } };
const TASK = { name: 'task', label: 'Task', sync: { enabled: true }, fields };

async function start() {
  const driver = new SqliteWasmDriver({ filename: ':memory:' });
  const sync = new SyncProtocolPlugin();
  const { engine, stop } = await startKernel({ objects: [TASK], plugins: [sync], driver });
  onTestFinished(stop);
  await sync.enrolled();
  let statements = 0;
  driver.getKnex().on('query', () => {
    statements += 1;
  });
  return {
    // A cast: the service is this class, of which sync itself uses less.
    engine: engine as unknown as ObjectQL,
    handler: sync.handler,
    async count(work: () => Promise<unknown>): Promise<number> {
      statements = 0;
      await work();
      return statements;
    },
  };
}

it('adds eight statements to a write, and none to a further one of the same transaction', async () => {
  const { engine, count } = await start();
  const insert = (id: string) => engine.insert('task', { id, title: 'A' }, system);
  // The first one of a process also begins an epoch.
  await insert('first');
  const ids = Array.from({ length: 10 }, (_, index) => `t${index}`);
  const alone = await count(() => insert('alone'));
  const many = await count(() =>
    engine.transaction(async () => {
      for (const id of ids) await insert(id);
    }),
  );
  // In a transaction of the application the feed is asked for once more: a savepoint may have let go of it.
  expect([alone, many]).toEqual([9, 9 + ids.length]);
});

it('adds four statements to each further create of a push, three to an update', async () => {
  const { handler, count } = await start();
  let sequence = 0;
  const push = (operation: 'create' | 'update', recordIds: readonly string[]) => {
    const mutations = recordIds.map((recordId): MutationLogEntry => {
      sequence += 1;
      return {
        id: `m${sequence}`,
        clientId: 'phone',
        sequence,
        timestamp: '2026-01-01T00:00:00.000Z',
        objectName: 'task',
        recordId,
        operation,
        data: { title: operation },
        baseVersion: operation === 'create' ? null : 1,
      };
    });
    const envelope = { clientId: 'phone', logId: 'log', protocol: 2, lastCheckpoint: null, pull: false } as const;
    return handler.handlePush({ ...envelope, mutations });
  };
  const more = Array.from({ length: 10 }, (_, index) => `t${index}`);
  await push('create', ['first']);
  const creates = (await count(() => push('create', more))) - (await count(() => push('create', ['one'])));
  const updates = (await count(() => push('update', more))) - (await count(() => push('update', ['one'])));
  // The engine itself reads a record before and after its update.
  expect([creates, updates]).toEqual([9 * (4 + 1), 9 * (3 + 3)]);
});
