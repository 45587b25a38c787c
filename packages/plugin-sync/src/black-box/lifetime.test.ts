import { describe, expect, test } from 'vitest';
import { device } from '../../test/fixtures/device.js';
import { LastingStorage } from '../../test/fixtures/lasting-storage.js';
import { change, hangs, isGone } from '../../test/fixtures/scripted-server.js';
import { turns } from '../../test/fixtures/turns.js';
import { MutationLogger } from '../log/mutation-logger.js';
import { TestPlatform } from '../platform/test-platform.js';
import { MemoryStorage } from '../storage/memory-storage.js';
import { FaultStorage } from '../testing/fault-storage.js';

describe('closing', () => {
  test('makes everything durable that was recorded, and ends the request under way', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { edit, tasks, platform } = device({ storage, otherwise: hangs });
    edit('t1');
    await platform.advance(2000);
    edit('t2');
    await tasks.close();
    const { entries } = await storage.load();
    expect({
      stored: entries.map(({ mutation }) => mutation.recordId),
      state: tasks.status.state,
      timers: platform.pendingTimersMs,
    }).toEqual({ stored: ['t1', 't2'], state: 'closed', timers: [] });
  });

  test('I1 records the change that was asked for before it', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { tasks } = device({ storage });
    const { records } = tasks;
    records.create('t1', { title: 'First' });
    const changed = records.update('t1', { title: 'Last words' });
    await tasks.close();
    const { entries } = await storage.load();
    expect(entries.map(({ mutation }) => mutation.data?.title)).toEqual(['First', 'Last words']);
    expect((await changed).data).toEqual({ title: 'Last words' });
  });

  test('says so when what was recorded could not be made durable', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { edit, tasks } = device({ storage });
    storage.fail('commit', new Error('The disk is full.'));
    edit();
    await expect(tasks.close()).rejects.toThrow('The disk is full.');
  });

  test('is no failure of a client that has nothing to store, though its storage never opened', async () => {
    const storage = new FaultStorage(new LastingStorage());
    storage.fail('load', new Error('The browser keeps no data for this site.'));
    const { tasks, heard } = device({ storage });
    await tasks.sync();
    await tasks.close();
    expect([heard, tasks.status.state]).toEqual([['error: The browser keeps no data for this site.'], 'closed']);
  });

  test('is over for everyone who asked for it', async () => {
    const storage = new FaultStorage(new LastingStorage());
    const { edit, tasks } = device({ storage });
    edit();
    const first = tasks.close();
    await tasks.close();
    expect((await storage.load()).entries.length).toBe(1);
    await first;
  });

  test('ends also while a callback of the application never answers', async () => {
    const { tasks, platform } = device({
      otherwise: () => ({ serverChanges: [change('theirs')] }),
      listeners: [{ onServerChanges: () => new Promise(() => {}) }],
    });
    void tasks.sync();
    await platform.advance(0);
    let isClosed = false;
    void tasks.close().then(() => {
      isClosed = true;
    });
    await platform.advance(120_000);
    expect(isClosed).toBe(true);
  });

  test('leaves nobody waiting for an outcome', async () => {
    const { edit, tasks, platform } = device({ otherwise: isGone });
    const { id } = edit();
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    void tasks.settled(id).then(over, over);
    await platform.advance(0);
    await tasks.close();
    await platform.advance(0);
    expect(isOver).toBe(true);
  });

  test('leaves nobody waiting who asks for an outcome too late to learn it', async () => {
    const { edit, tasks, platform } = device({ otherwise: isGone });
    const { id } = edit();
    const codes: string[] = [];
    const ask = () => void tasks.settled(id).catch(({ code }) => codes.push(code));
    // The storage is still being opened.
    ask();
    await tasks.close();
    ask();
    await platform.advance(0);
    expect(codes).toEqual(['CLOSED', 'CLOSED']);
  });

  test('refuses what comes after it', async () => {
    const { edit, tasks, server } = device();
    await tasks.close();
    expect(() => edit()).toThrow(expect.objectContaining({ code: 'CLOSED' }));
    expect([await tasks.sync(), server.requests.length]).toEqual([null, 0]);
  });

  test('is what leaving the block of an tasks does', async () => {
    const storage = new FaultStorage(new LastingStorage());
    {
      await using scope = device({ storage, otherwise: isGone }).tasks;
      scope.recordMutation({ objectName: 'task', recordId: 1, operation: 'create', data: {}, baseVersion: null });
    }
    expect((await storage.load()).entries.length).toBe(1);
  });
});

describe('the log', () => {
  test('forgets for good what was acknowledged while it was being stored', async () => {
    for (let count = 0; count < 20; count++) {
      const storage = new FaultStorage(new LastingStorage());
      const log = new MutationLogger('device-1', { storage, platform: new TestPlatform() });
      const { id } = log.append(created('a'));
      await turns(count);
      log.acknowledge([id]);
      await log.flush();
      expect({ count, stored: (await storage.load()).entries, pending: log.getPending() }).toEqual({
        count,
        stored: [],
        pending: [],
      });
    }
  });

  test('touches a new entry alone, however many are pending', { timeout: 60_000 }, async () => {
    const storage = new FaultStorage(new MemoryStorage());
    const log = new MutationLogger('device-1', { storage, platform: new TestPlatform() });
    for (let index = 0; index < 100_000; index++) log.append(created(`t${index}`));
    await log.flush();
    log.append(created('last'));
    await log.flush();
    expect(storage.commits.map(({ putEntries }) => putEntries?.length)).toEqual([100_000, 1]);
  });
});

function created(recordId: string) {
  return { objectName: 'task', recordId, operation: 'create', data: { title: 'x' }, baseVersion: null } as const;
}
