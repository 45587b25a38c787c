/** The simulation's local data engine does as ObjectStack's own, in what sync uses of one. */
import { SyncHandler } from '@objectql/protocol-sync';
import { commitTransaction, type DataEngine, executionOf, refuseCommit } from '@objectql/sync-types/kernel';
import { expect, it } from 'vitest';
import { EngineDatabase } from '../../../sync-simulation/src/engine/engine-database.js';
import { MemoryEngine } from '../../../sync-simulation/src/engine/memory-engine.js';
import { Gate } from '../../../sync-simulation/src/gate.js';
import { Random } from '../../../sync-simulation/src/random.js';
import { VirtualTime } from '../../../sync-simulation/src/virtual-time.js';
import { appOf, startDevice, system } from './local-device.fixture.js';

const text = { type: 'text', label: 'Text' };
const TASK = { name: 'task', fields: { title: text, status: text } };
const belongingTo = (reference: string, deleteBehavior: string) => ({
  type: 'lookup',
  label: 'Parent',
  reference,
  deleteBehavior,
});
/** Projects, and what their definitions refuse and take along. */
const FAMILY = [
  { name: 'project', label: 'Project', fields: { text } },
  {
    name: 'item',
    label: 'Item',
    fields: {
      text: { ...text, maxLength: 5 },
      code: { ...text, unique: true },
      parent: belongingTo('project', 'cascade'),
    },
  },
  { name: 'leaf', label: 'Leaf', fields: { text, parent: belongingTo('item', 'set_null') } },
  { name: 'bill', label: 'Bill', fields: { text, parent: belongingTo('project', 'restrict') } },
];

function simulatedEngine(): MemoryEngine {
  const faults = () => ({ slow: 0, fail: 0 });
  const gate = new Gate({ time: new VirtualTime(), random: new Random(1), faults, onCrash: () => {} });
  const objects = [TASK, ...FAMILY];
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

function idsOf(rows: unknown): readonly unknown[] {
  return [rows].flat().map((row) => Object(row).id ?? null);
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
    if (one instanceof MemoryEngine) one.registerHook('after a write', hook);
    else engine.registerHook('afterInsert', hook, { object: 'task' });
    transcripts.push(
      await transcriptOf(one, (is) => {
        isFailing = is;
      }),
    );
  }
  expect(transcripts[1]).toEqual(transcripts[0]);
});

type Moment = Parameters<MemoryEngine['registerHook']>[0];
const MOMENTS: readonly Moment[] = ['after a write', 'before a delete', 'after a delete'];

/** What the definitions and hooks refuse, and what goes with a deleted record; `hookOn` calls a hook there. */
async function transcriptOfRules(
  engine: DataEngine,
  hookOn: (moment: Moment, object: string, hook: () => Promise<void>) => void,
) {
  const told: unknown[] = [];
  const tried = (work: Promise<unknown>) =>
    work.then(
      () => 'done',
      ({ code, message }) => (/hook/.test(message) ? message : (code ?? 'failed')),
    );
  const rows = async () => {
    const names = ['project', 'item', 'leaf', 'bill'];
    const all = await Promise.all(names.map((name) => engine.find(name, {}, system)));
    return all
      .flat()
      .map(({ id, text: its, code, parent }) => [id, its, code, parent].map((one) => one ?? '-').join(' '));
  };
  const step = async (name: string, work: Promise<unknown>) => void told.push([name, await tried(work), await rows()]);
  /** The app goes on with a transaction in which this fails. */
  const caught = async (name: string, work: () => Promise<unknown>) => {
    await together(engine, async () => told.push(await tried(work())));
    told.push([name, await rows()]);
  };
  const insert = (object: string, ...given: readonly object[]) =>
    engine.insert(object, given.length > 1 ? given : (given[0] ?? {}), system);
  const remove = (id: string) => engine.delete('project', { where: { id }, ...system });
  const some = { ...system, where: { id: { $in: ['i1', 'i2'] } }, multi: true };
  engine.registerMiddleware(async ({ object, operation, data, options, ast, context }, next) => {
    if (operation !== 'find')
      told.push([object, operation, idsOf(data ?? options?.where), Boolean(ast), context?.transaction !== undefined]);
    await next();
  });
  let failing = '';
  for (const object of ['project', 'item', 'leaf']) {
    for (const moment of MOMENTS) {
      hookOn(moment, object, async () => {
        told.push([moment, object]);
        if (failing === `${moment} ${object}`) throw new Error(`The hook ${moment} of ${object} has failed.`);
      });
    }
  }
  await step('a project', insert('project', { id: 'p' }, { id: 'q' }, { id: 'r' }));
  await step('long', insert('item', { id: 'i1', text: 'too long' }));
  await step('as long as it may', insert('item', { id: 'i1', text: '12345', code: 'A', parent: 'p' }));
  await step('another', insert('item', { id: 'i2', text: 'x', parent: 'p' }, { id: 'i3', parent: 'q' }));
  await step('none has one', insert('leaf', { id: 'l1', parent: 'i1' }));
  await step('equal', engine.update('item', { id: 'i2', code: 'A' }, system));
  await step('equal to itself', engine.update('item', { id: 'i1', code: 'A' }, system));
  await caught('many, one of them long', () => insert('item', { id: 'i4' }, { id: 'i5', text: 'too long' }));
  await caught('many, two of them equal', () => insert('item', { id: 'i4', code: 'B' }, { id: 'i5', code: 'B' }));
  await caught('many, one of them there', () => insert('item', { id: 'i4' }, { id: 'i1' }));
  await caught('many made equal', () => engine.update('item', { code: 'C' }, some));
  await caught('many made long', () => engine.update('item', { text: 'too long' }, some));
  failing = 'before a delete item';
  await step('a hook before a child', remove('p'));
  failing = 'after a write leaf';
  await step('a hook behind a grandchild', remove('p'));
  await caught('a hook behind a grandchild, caught', () => remove('p'));
  failing = 'after a delete project';
  await step('a hook behind the parent', remove('q'));
  failing = '';
  await step('what belongs to it', remove('p'));
  await insert('item', { id: 'i6', parent: 'r' });
  await insert('bill', { id: 'b', parent: 'r' });
  await step('restricted', remove('r'));
  await caught('restricted, caught', () => remove('r'));
  await step('many', engine.delete('project', { where: { id: { $in: ['r'] } }, multi: true, ...system }));
  await step('none', remove('none'));
  return told;
}

it('refuses and takes along as ObjectStack’s engine', async () => {
  const { engine } = await startDevice(new SyncHandler(), {
    name: 'a',
    isSynced: false,
    plugins: [appOf('family', FAMILY)],
  });
  const simulated = simulatedEngine();
  const events: Readonly<Record<Moment, readonly string[]>> = {
    'after a write': ['afterInsert', 'afterUpdate'],
    'before a delete': ['beforeDelete'],
    'after a delete': ['afterDelete'],
  };
  const real = await transcriptOfRules(engine as unknown as DataEngine, (moment, object, hook) => {
    for (const event of events[moment]) engine.registerHook(event, hook, { object });
  });
  const modelled = await transcriptOfRules(simulated, (moment, object, hook) =>
    simulated.registerHook(moment, async (name) => {
      if (name === object) await hook();
    }),
  );
  expect(modelled).toEqual(real);
});
