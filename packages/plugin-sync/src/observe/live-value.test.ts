import { expect, test } from 'vitest';
import { LiveValue } from './live-value.js';

test('watches its source once for all who subscribe, until the last of them has gone, who may go twice', () => {
  const happened: string[] = [];
  let tell = (_value: number) => {};
  const value = new LiveValue<number>({
    initial: 0,
    watch: (given) => {
      tell = given;
      happened.push('watched');
      return () => happened.push('stopped');
    },
    keep: (_before, after) => after,
  });
  const stopFirst = value.subscribe(() => happened.push(`first ${value.getSnapshot()}`));
  const stopSecond = value.subscribe(() => happened.push(`second ${value.getSnapshot()}`));
  tell(1);
  stopFirst();
  stopFirst();
  tell(2);
  stopSecond();
  stopSecond();
  value.subscribe(() => {})();
  expect(happened).toEqual(['watched', 'first 1', 'second 1', 'second 2', 'stopped', 'watched', 'stopped']);
});
