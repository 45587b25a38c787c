import { describe, expect, test } from 'vitest';
import { device } from '../../test/fixtures/device.js';
import { appliesWith, change, losesAnswer } from '../../test/fixtures/scripted-server.js';
import { turns } from '../../test/fixtures/turns.js';

describe('a reset', () => {
  for (const reset of ['expired', 'scope'] as const) {
    test(`"${reset}" walks the feed anew, drops what it did not see, and keeps unsent work`, async () => {
      const { edit, tasks, server, platform } = device({
        script: [
          appliesWith({ serverChanges: [change('gone'), change('kept')], checkpoint: 'old-9' }),
          appliesWith({ reset, serverChanges: [change('new')], checkpoint: 'walk-1', hasMore: true }),
          appliesWith({ serverChanges: [change('kept')], checkpoint: 'walk-2' }),
        ],
      });
      await tasks.sync();
      for (let index = 0; index < 5; index++) edit(`mine-${index}`);
      const middle = tasks.sync();
      edit('meanwhile');
      await middle;
      await platform.advance(60_000);
      expect({
        theirs: await recordIds(tasks, ['gone', 'kept', 'new']),
        applied: server.applied.length,
        pending: tasks.status.pending,
        asked: server.requests.slice(0, 3).map(({ lastCheckpoint }) => lastCheckpoint),
      }).toEqual({ theirs: ['kept', 'new'], applied: 6, pending: 0, asked: [null, 'old-9', 'walk-1'] });
    });
  }
});

describe('what the user sees', () => {
  test('is never overwritten by a server change while an edit of it is pending', async () => {
    const { tasks, platform } = device({
      script: [
        appliesWith({ serverChanges: [change('t1', 1, { title: 'Old', status: 'new' })], checkpoint: 'a' }),
        losesAnswer,
      ],
    });
    const { records } = tasks;
    const titles: unknown[] = [];
    await tasks.sync();
    records.subscribe('t1', (record) => {
      if (record?.data.title !== titles.at(-1)) titles.push(record?.data.title);
    });
    await platform.advance(0);
    await records.update('t1', { title: 'Mine' });
    await tasks.sync();
    await platform.advance(60_000);
    expect(titles).toEqual(['Old', 'Mine']);
  });

  test('always holds what was recorded before it was read, also while that is being settled', async () => {
    const { tasks, platform } = device();
    const { records } = tasks;
    const reads: Promise<{ readonly recorded: number; readonly seen: number }>[] = [];
    records.create('t1', { title: '0' });
    for (let recorded = 1; recorded <= 20; recorded++) {
      await records.update('t1', { title: String(recorded) });
      void tasks.sync();
      for (let turn = 0; turn < 40; turn++) {
        await turns(1);
        reads.push(records.get('t1').then((record) => ({ recorded, seen: Number(record?.data.title ?? -1) })));
      }
    }
    await platform.advance(60_000);
    const lost = (await Promise.all(reads)).filter(({ recorded, seen }) => seen < recorded);
    expect([lost, (await records.get('t1'))?.data]).toEqual([[], { title: '20' }]);
  });

  test('is listed once however many changes come in one turn', async () => {
    const { tasks, platform } = device();
    const { records } = tasks;
    let calls = 0;
    records.subscribe(() => {
      calls += 1;
    });
    await platform.advance(0);
    calls = 0;
    for (let index = 0; index < 500; index++) records.create(`t${index}`, { title: 'x' });
    await turns(51);
    expect(calls).toBeLessThan(10);
  });
});

/** Which of these records the user sees, in their order. */
async function recordIds(tasks: ReturnType<typeof device>['tasks'], asked: readonly string[]) {
  const records = await tasks.records.list();
  return asked.filter((recordId) => records.some((record) => record.recordId === recordId));
}
