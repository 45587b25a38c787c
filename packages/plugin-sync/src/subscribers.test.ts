import { expect, test } from 'vitest';
import { Subscribers } from './subscribers.js';

test('tells nothing to who was stopped by another that heard it first', () => {
  const subscribers = new Subscribers<number>(() => {});
  const heard: string[] = [];
  let stopSecond = () => {};
  subscribers.add((value) => {
    heard.push(`first ${value}`);
    if (value === 1) stopSecond();
  }, 0);
  stopSecond = subscribers.add((value) => heard.push(`second ${value}`), 0);
  subscribers.tell(1);
  expect(heard).toEqual(['first 0', 'second 0', 'first 1']);
});

test('tells nobody twice in a row what is the same, also where it was another in between', () => {
  const subscribers = new Subscribers<{ readonly pending: number }>(() => {});
  const heard: string[] = [];
  const meanwhile = [{ pending: 2 }, { pending: 1 }];
  subscribers.add(({ pending }) => heard.push(`first ${pending}`), { pending: 0 });
  subscribers.add(
    ({ pending }) => {
      heard.push(`second ${pending}`);
      if (pending === 1) for (const value of meanwhile.splice(0)) subscribers.tell(value);
    },
    { pending: 0 },
  );
  subscribers.tell({ pending: 0 });
  subscribers.tell({ pending: 1 });
  expect(heard).toEqual(['first 0', 'second 0', 'first 1', 'second 1']);
});
