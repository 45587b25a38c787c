import { expect, test } from 'vitest';
import { turns } from '../../test/fixtures/turns.js';
import { RecordWatch } from './record-watch.js';

const task = (recordId: string) => ({ objectName: 'task', recordId });

test('looks at what changes during a look after it, and at all of it once', async () => {
  const looks: (readonly string[])[] = [];
  const heard: number[] = [];
  const watch = new RecordWatch<number>({
    look: async (changed) => {
      const count = looks.push(changed === 'all' ? ['all'] : changed.map(({ recordId }) => String(recordId)));
      if (count === 1) {
        watch.changed([task('b')]);
        watch.changed([task('c'), task('b')]);
      }
      // The first takes longer: beside it, a second would be heard before it.
      await turns(20 / count);
      return count;
    },
    listener: (count) => heard.push(count),
    onFailed: (error) => {
      throw error;
    },
  });
  watch.changed([task('a')]);
  await expect.poll(() => heard.length).toBe(2);
  expect({ looks, heard }).toEqual({ looks: [['a'], ['b', 'c']], heard: [1, 2] });
});
