/** What a server at a branch promises, whatever its database. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { SyncHandler } from '@objectql/protocol-sync';
import { expect, it } from 'vitest';
import { eventually } from '../../../plugin-sync/test/fixtures/eventually.js';
import { startBranch } from './branch-server.fixture.js';
import { appOf, type DeviceParts, system, titlesAt } from './local-device.fixture.js';

const change = { objectName: 'task', operation: 'update' } as const;

/** Each test's branch gets a database of its own; without `openDriver` a file. */
export function describeBranchServer(openDriver: () => Promise<DeviceParts['driver']> = async () => undefined): void {
  it('I4 ends with the same records at the head office, at the branch and on a device of the branch', async () => {
    const office = new SyncHandler({ authorize: { write: ({ mutation }) => mutation.data?.title !== 'forbidden' } });
    const branch = await startBranch(office, { driver: await openDriver() });
    const { engine, titles } = branch;
    const { tasks } = branch.addPhone('phone');

    tasks.create('p1', { title: 'By the phone' });
    await engine.insert('task', { id: 'b1', title: 'By the branch' }, system);
    await office.recordChange({ ...change, recordId: 'o1', data: { title: 'By the office' } });
    expect(await titles()).toEqual({ p1: 'By the phone', b1: 'By the branch', o1: 'By the office' });
    await office.recordChange({ ...change, recordId: 'p1', data: { title: 'Changed' } });
    tasks.update('o1', { title: 'Changed' });
    await engine.delete('task', { where: { id: 'b1' }, ...system });
    expect(await titles()).toEqual({ p1: 'Changed', o1: 'Changed' });

    tasks.update('p1', { title: 'forbidden' });
    await eventually(async () => {
      await titles();
      expect(branch.sync.client.deadLetters.list().map(({ code }) => code)).toEqual(['FORBIDDEN']);
    });
    expect(await titles()).toEqual({ p1: 'Changed', o1: 'Changed' });
    expect(branch.allFailures()).toEqual([]);
  });

  it('I4 gives its devices what the head office sent, where a hook of the branch makes something else of it', async () => {
    const office = new SyncHandler();
    const { engine, addPhone, titles, allFailures } = await startBranch(office, { driver: await openDriver() });
    addPhone('phone');
    const stamp = async ({ input }: { readonly input?: unknown }) => {
      Object(input).data.title = 'By a hook';
    };
    for (const event of ['beforeInsert', 'beforeUpdate']) engine.registerHook(event, stamp, { object: 'task' });
    await office.recordChange({ ...change, recordId: 'o1', data: { title: 'New' } });
    expect(await titles()).toEqual({ o1: 'New' });
    await office.recordChange({ ...change, recordId: 'o1', data: { title: 'Changed' } });
    expect([await titles(), allFailures()]).toEqual([{ o1: 'Changed' }, []]);
  });

  it("I4 gives its devices what the head office sent, where the branch's definitions refuse it", async () => {
    const office = new SyncHandler();
    const { engine, addPhone, titles, allFailures } = await startBranch(office, { driver: await openDriver() });
    addPhone('phone');
    // A title is required at the branch.
    await office.recordChange({ ...change, recordId: 'o1', data: { title: null } });
    expect(await titles()).toEqual({ o1: null });
    await engine.insert('task', { id: 'b1', title: 'Goes on' }, system);
    expect([await titles(), allFailures()]).toEqual([{ o1: null, b1: 'Goes on' }, []]);
  });

  it('I13 refuses for good what a device writes of an object that the branch only receives', async () => {
    const office = new SyncHandler();
    const objects = { task: { enabled: true, direction: 'pull-only' } } as const;
    const branch = await startBranch(office, { driver: await openDriver(), objects });
    const { sync, tasks } = branch.addPhone('phone');
    tasks.create('p1', { title: 'By the phone' });
    expect(await branch.titles()).toEqual({});
    const refused = sync.client.deadLetters.list().map(({ code, reason }) => [code, reason]);
    const reason = 'task is pull-only: it is changed on the server alone.';
    expect([refused, branch.allFailures()]).toEqual([[['VALIDATION', reason]], []]);
  });

  it('I13 refuses for good what a hook of the branch makes too large, and takes what comes with it', async () => {
    const { engine, addPhone, titles, allFailures } = await startBranch(new SyncHandler(), {
      driver: await openDriver(),
    });
    const enlarge = async ({ input }: { readonly input?: unknown }) => {
      const { data } = Object(input);
      if (data.title === 'Large') data.title = 'x'.repeat(300 * 1024);
    };
    engine.registerHook('beforeInsert', enlarge, { object: 'task' });
    const { sync, tasks } = addPhone('phone');
    tasks.create('p1', { title: 'Large' });
    tasks.create('p2', { title: 'Small' });
    expect(await titles()).toEqual({ p2: 'Small' });
    const refused = sync.client.deadLetters.list().map(({ code, mutation }) => [code, mutation.recordId]);
    expect([refused, allFailures()]).toEqual([[['VALIDATION', 'p1']], []]);
  });

  it('I13 lets a device try again what a hook of the branch could not record, as its client was closed', async () => {
    const { engine, addPhone } = await startBranch(new SyncHandler(), { driver: await openDriver() });
    const closed = addPhone('closed');
    await closed.sync.close();
    engine.registerHook('beforeInsert', async () => void closed.tasks.create('t1', { title: '' }), { object: 'task' });
    const { sync, tasks } = addPhone('phone');
    tasks.create('p1', { title: 'By the phone' });
    await sync.syncAll();
    expect([sync.client.deadLetters.list(), sync.client.status.pending]).toEqual([[], 1]);
  });

  it("I13 goes on, and reports no error of sync, where the branch's database refuses a write", async () => {
    const branch = await startBranch(new SyncHandler(), { driver: await openDriver() });
    const { engine, titles, allFailures } = branch;
    await engine.insert('task', { id: 'b1', title: 'First' }, system);
    await expect(engine.insert('task', { id: 'b1', title: 'Again' }, system)).rejects.toThrow('unique');
    await engine.insert('task', { id: 'b2', title: 'Second' }, system);
    expect([await titles(), allFailures()]).toEqual([{ b1: 'First', b2: 'Second' }, []]);
  });

  it('I4 notes in the transaction that a write names, wherever it runs and whether or not devices get it', async () => {
    const office = new SyncHandler();
    const enabled = { enabled: true } as const;
    const { engine, exchange, allFailures } = await startBranch(office, {
      driver: await openDriver(),
      plugins: [appOf('notes', [{ name: 'note', label: 'Note', fields: { title: { type: 'text', label: 'Title' } } }])],
      objects: { task: enabled, note: enabled },
      synced: ['task', 'note'],
    });
    await engine.transaction(async ({ transaction }) => {
      const context = { ...system.context, transaction };
      for (const object of ['task', 'note']) {
        await outside(() => engine.insert(object, { id: object, title: 'By the branch' }, { context }));
      }
    }, system.context);
    await eventually(async () => {
      await exchange();
      expect(await titlesAt(office)).toEqual({ task: 'By the branch', note: 'By the branch' });
    });
    expect(allFailures()).toEqual([]);
  });
}

/** The async context around the tests: in no transaction. */
const outside = AsyncLocalStorage.snapshot();
