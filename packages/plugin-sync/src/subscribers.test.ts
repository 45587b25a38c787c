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
