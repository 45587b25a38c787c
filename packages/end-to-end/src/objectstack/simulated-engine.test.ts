/** The simulation's local data engine does as ObjectStack's own, in what sync uses of one. */
import { SyncHandler } from '@objectql/protocol-sync';
import { commitTransaction, type DataEngine, executionOf, refuseCommit } from '@objectql/sync-types/kernel';
import { expect, it, vi } from 'vitest';
import { EngineDatabase } from '../../../sync-simulation/src/engine/engine-database.js';
import { MemoryEngine } from '../../../sync-simulation/src/engine/memory-engine.js';
import { Gate } from '../../../sync-simulation/src/gate.js';
import { Random } from '../../../sync-simulation/src/random.js';
import { VirtualTime } from '../../../sync-simulation/src/virtual-time.js';
import { startDevice, system } from './local-device.fixture.js';

// ObjectStack takes seconds to load on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

function simulatedEngine(): DataEngine & { registerHook(hook: () => Promise<void>): void } {
  const faults = () => ({ slow: 0, fail: 0 });
  const gate = new Gate({ time: new VirtualTime(), random: new Random(1), faults, onCrash: () => {} });
  const objects = [{ name: 'task', fields: { title: { type: 'text' }, status: { type: 'text' } } }];
  return new MemoryEngine({ database: new EngineDatabase(), gate, faults, objects, onCommit: () => {} });
}

/** What the engine does, told step by step; `failBehind` lets the hooks behind writes fail. */
async function transcriptOf(engine: DataEngine, failBehind: (isFailing: boolean) => void) {
  const told: unknown[] = [];
  const tell = (step: string, what: unknown) => void told.push([step, what]);
  const tried = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      () => 'failed',
    );
  const titles = async () => {
    const rows = await engine.find('task', { orderBy: [{ field: 'id', order: 'asc' }] }, system);
    return rows.map(({ id, title, status }) => [id, title, status ?? null].join(' '));
  };
  const insert = (id: string, more: object = {}) =>
    engine.insert('task', { id, title: id, status: 'new' }, { ...system, ...more });
  engine.registerMiddleware(async (operation, next) => {
    if (operation.object === 'task' && operation.operation !== 'find')
      tell('asked', [operation.operation, Boolean(operation.ast), operation.context?.transaction !== undefined]);
    await next();
  });
  await insert('a');
  tell('twice', await tried(insert('a')));
  tell('no such record', await tried(engine.update('task', { id: 'none', title: 'x' }, system)));
  tell('nothing to delete', await tried(engine.delete('task', { ...system, where: { id: 'none' } })));
  await engine.update('task', { id: 'a', title: 'changed' }, system);
  tell(
    'rolled back',
    await tried(
      together(engine, async () => {
        await insert('b');
        tell('seen inside', await titles());
        throw new Error('changed my mind');
      }),
    ),
  );
  tell(
    'caught',
    await tried(
      together(engine, async () => {
        await insert('c');
        tell('twice inside', await tried(insert('c')));
        failBehind(true);
        tell('hook', await tried(insert('d')));
        failBehind(false);
        tell('joined', await commitTransaction(engine, async ({ owned }) => owned));
      }),
    ),
  );
  const order: string[] = [];
  const open = together(engine, async (transaction) => {
    await insert('e');
    executionOf(transaction)?.then(
      () => order.push('ended'),
      () => {},
    );
  });
  await Promise.all([open, titles().then((seen) => tell('seen outside', seen))]);
  tell('ended', order);
  tell(
    'refused',
    await tried(
      together(engine, async (transaction) => {
        await insert('f');
        refuseCommit(transaction, new Error('not so'));
      }),
    ),
  );
  failBehind(true);
  tell('hook alone', await tried(insert('g')));
  failBehind(false);
  await engine.update('task', { status: 'late' }, {
    ...system,
    where: { id: { $in: ['c', 'd'] } },
    multi: true,
  } as never);
  await engine.delete('task', { ...system, where: { id: { $in: ['a', 'e'] } }, multi: true });
  await engine.delete('task', { ...system, where: { id: 'd' } });
  tell('at last', await titles());
  return told;
}

function together(engine: DataEngine, work: (transaction: unknown) => Promise<unknown>) {
  return engine.transaction(({ transaction }) => work(transaction), { isSystem: true }, { require: true });
}

it('does as ObjectStack’s engine', async () => {
  const { engine } = await startDevice(new SyncHandler(), { name: 'a', isSynced: false });
  const transcripts = [];
  for (const one of [engine as unknown as DataEngine & { registerHook: unknown }, simulatedEngine()]) {
    let isFailing = false;
    const hook = async () => {
      if (isFailing) throw new Error('The hook has failed.');
    };
    if (one instanceof MemoryEngine) one.registerHook(hook);
    else engine.registerHook('afterInsert', hook, { object: 'task' });
    transcripts.push(
      await transcriptOf(one, (is) => {
        isFailing = is;
      }),
    );
  }
  expect(transcripts[1]).toEqual(transcripts[0]);
});
