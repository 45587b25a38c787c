import { describe, expect, test } from 'vitest';
import { LastingStorage } from '../../test/fixtures/lasting-storage.js';
import { MutationLogger } from '../log/mutation-logger.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { FaultStorage } from '../testing/fault-storage.js';
import { change, device, HalfJitterPlatform } from './device.js';
import { hangs, isGone } from './scripted-server.js';

describe('closing', () => {
  test('makes everything durable that was recorded, and ends the request under way', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { edit, engine, platform } = device({ storage, otherwise: hangs });
    edit('task-1');
    await platform.advance(2000);
    edit('task-2');
    await engine.close();
    const { entries } = await storage.load();
    expect({
      stored: entries.map(({ mutation }) => mutation.recordId),
      state: engine.status.state,
      timers: platform.pendingTimersMs,
    }).toEqual({ stored: ['task-1', 'task-2'], state: 'closed', timers: [] });
  });

  test('I1 records the change that was asked for before it', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { engine } = device({ storage });
    const tasks = engine.records.of('task');
    tasks.create('task-1', { title: 'First' });
    const changed = tasks.update('task-1', { title: 'Last words' });
    await engine.close();
    const { entries } = await storage.load();
    expect(entries.map(({ mutation }) => mutation.data?.title)).toEqual(['First', 'Last words']);
    expect((await changed).data).toEqual({ title: 'Last words' });
  });

  test('says so when what was recorded could not be made durable', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { edit, engine } = device({ storage });
    storage.fail('commit', new Error('The disk is full.'));
    edit();
    await expect(engine.close()).rejects.toThrow('The disk is full.');
  });

  test('is no failure of a client that has nothing to store, though its storage never opened', async () => {
    const storage = new FaultStorage(new LastingStorage());
    storage.fail('load', new Error('The browser keeps no data for this site.'));
    const { engine, errors } = device({ storage });
    await engine.sync();
    await engine.close();
    expect([errors, engine.status.state]).toEqual([['The browser keeps no data for this site.'], 'closed']);
  });

  test('is over for everyone who asked for it', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { edit, engine } = device({ storage });
    edit();
    const first = engine.close();
    await engine.close();
    expect((await storage.load()).entries.length).toBe(1);
    await first;
  });

  test('ends also while a callback of the application never answers', async () => {
    const { engine, platform } = device({
      otherwise: () => ({ serverChanges: [change('theirs')] }),
      listeners: [{ onServerChanges: () => new Promise(() => {}) }],
    });
    void engine.sync();
    await platform.advance(0);
    let isClosed = false;
    void engine.close().then(() => {
      isClosed = true;
    });
    await platform.advance(120_000);
    expect(isClosed).toBe(true);
  });

  test('leaves nobody waiting for an outcome', async () => {
    const { edit, engine, platform } = device({ otherwise: isGone });
    const { id } = edit();
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    void engine.settled(id).then(over, over);
    await platform.advance(0);
    await engine.close();
    await platform.advance(0);
    expect(isOver).toBe(true);
  });

  test('leaves nobody waiting who asks for an outcome too late to learn it', async () => {
    const { edit, engine, platform } = device({ otherwise: isGone });
    const { id } = edit();
    const codes: string[] = [];
    const ask = () => void engine.settled(id).catch(({ code }) => codes.push(code));
    // The storage is still being opened.
    ask();
    await engine.close();
    ask();
    await platform.advance(0);
    expect(codes).toEqual(['CLOSED', 'CLOSED']);
  });

  test('refuses what comes after it', async () => {
    const { edit, engine, server } = device();
    await engine.close();
    expect(() => edit()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect([await engine.sync(), server.requests.length]).toEqual([null, 0]);
  });

  test('is what leaving the block of an engine does', async () => {
    const storage = new FaultStorage(new LastingStorage());
    {
      await using scope = device({ storage, otherwise: isGone }).engine;
      scope.recordMutation({ objectName: 'task', recordId: 1, operation: 'create', data: {}, baseVersion: null });
    }
    expect((await storage.load()).entries.length).toBe(1);
  });
});

describe('the log', () => {
  test('forgets for good what was acknowledged while it was being stored', async () => {
    for (let turns = 0; turns < 20; turns++) {
      const storage = new FaultStorage(new LastingStorage());
      const log = new MutationLogger('device-1', { storage, platform: new HalfJitterPlatform() });
      const { id } = log.append(created('a'));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      log.acknowledge([id]);
      await log.flush();
      expect({ turns, stored: (await storage.load()).entries, pending: log.getPending() }).toEqual({
        turns,
        stored: [],
        pending: [],
      });
    }
  });

  test('touches a new entry alone, however many are pending', { timeout: 60_000 }, async () => {
    const storage = new FaultStorage(new MemoryStorage());
    const log = new MutationLogger('device-1', { storage, platform: new HalfJitterPlatform() });
    for (let index = 0; index < 100_000; index++) log.append(created(`task-${index}`));
    await log.flush();
    log.append(created('last'));
    await log.flush();
    expect(storage.commits.map(({ putEntries }) => putEntries?.length)).toEqual([100_000, 1]);
  });
});

function created(recordId: string) {
  return { objectName: 'task', recordId, operation: 'create', data: { title: 'x' }, baseVersion: null } as const;
}
