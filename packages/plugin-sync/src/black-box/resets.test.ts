import { describe, expect, test } from 'vitest';
import { change, device } from './device.js';
import { appliesWith, losesAnswer } from './scripted-server.js';

describe('a reset', () => {
  for (const reset of ['expired', 'scope'] as const) {
    test(`"${reset}" walks the feed anew, drops what it did not see, and keeps unsent work`, async () => {
      const { edit, engine, server, platform } = device({
        script: [
          appliesWith({ serverChanges: [change('gone'), change('kept')], checkpoint: 'old-9' }),
          appliesWith({ reset, serverChanges: [change('new')], checkpoint: 'walk-1', hasMore: true }),
          appliesWith({ serverChanges: [change('kept')], checkpoint: 'walk-2' }),
        ],
      });
      await engine.sync();
      for (let index = 0; index < 5; index++) edit(`mine-${index}`);
      const middle = engine.sync();
      edit('meanwhile');
      await middle;
      await platform.advance(60_000);
      expect({
        theirs: await recordIds(engine, ['gone', 'kept', 'new']),
        applied: server.applied.length,
        pending: engine.status.pending,
        asked: server.requests.slice(0, 3).map(({ lastCheckpoint }) => lastCheckpoint),
      }).toEqual({ theirs: ['kept', 'new'], applied: 6, pending: 0, asked: [null, 'old-9', 'walk-1'] });
    });
  }
});

describe('what the user sees', () => {
  test('is never overwritten by a server change while an edit of it is pending', async () => {
    const { engine, platform } = device({
      script: [
        appliesWith({ serverChanges: [change('task-1', { data: { title: 'Old', status: 'new' } })], checkpoint: 'a' }),
        losesAnswer,
      ],
    });
    const tasks = engine.records.of('task');
    const titles: unknown[] = [];
    await engine.sync();
    tasks.subscribe('task-1', (record) => {
      if (record?.data.title !== titles.at(-1)) titles.push(record?.data.title);
    });
    await platform.advance(0);
    await tasks.update('task-1', { title: 'Mine' });
    await engine.sync();
    await platform.advance(60_000);
    expect(titles).toEqual(['Old', 'Mine']);
  });

  test('always holds what was recorded before it was read, also while that is being settled', async () => {
    const { engine, platform } = device();
    const tasks = engine.records.of('task');
    const reads: Promise<{ readonly recorded: number; readonly seen: number }>[] = [];
    tasks.create('task-1', { title: '0' });
    for (let recorded = 1; recorded <= 20; recorded++) {
      await tasks.update('task-1', { title: String(recorded) });
      void engine.sync();
      for (let turn = 0; turn < 40; turn++) {
        await Promise.resolve();
        reads.push(tasks.get('task-1').then((record) => ({ recorded, seen: Number(record?.data.title ?? -1) })));
      }
    }
    await platform.advance(60_000);
    const lost = (await Promise.all(reads)).filter(({ recorded, seen }) => seen < recorded);
    expect([lost, (await tasks.get('task-1'))?.data]).toEqual([[], { title: '20' }]);
  });

  test('is listed once however many changes come in one turn', async () => {
    const { engine, platform } = device();
    const tasks = engine.records.of('task');
    let calls = 0;
    tasks.subscribe(() => {
      calls += 1;
    });
    await platform.advance(0);
    calls = 0;
    for (let index = 0; index < 500; index++) tasks.create(`task-${index}`, { title: 'x' });
    await Promise.resolve();
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    expect(calls).toBeLessThan(10);
  });
});

/** Which of these records the user sees, in their order. */
async function recordIds(engine: ReturnType<typeof device>['engine'], asked: readonly string[]) {
  const records = await engine.records.of('task').list();
  return asked.filter((recordId) => records.some((record) => record.recordId === recordId));
}
