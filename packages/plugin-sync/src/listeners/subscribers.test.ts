import { expect, test } from 'vitest';
import { Subscribers } from './subscribers.js';

/** Of a value that `set` changes, told as often as it is set. */
function subscribers() {
  let pending = 0;
  const all = new Subscribers(
    () => ({ pending }),
    () => {},
  );
  return {
    all,
    set(value: number) {
      pending = value;
      all.tell();
    },
  };
}

test('tells nothing to who was stopped by another that heard it first', () => {
  const { all, set } = subscribers();
  const heard: string[] = [];
  let stopSecond = () => {};
  all.add(({ pending }) => {
    heard.push(`first ${pending}`);
    if (pending === 1) stopSecond();
  });
  stopSecond = all.add(({ pending }) => heard.push(`second ${pending}`));
  set(1);
  expect(heard).toEqual(['first 0', 'second 0', 'first 1']);
});

test('tells nobody twice in a row what is the same, also where it was another in between', () => {
  const { all, set } = subscribers();
  const heard: string[] = [];
  const meanwhile = [2, 1];
  all.add(({ pending }) => heard.push(`first ${pending}`));
  all.add(({ pending }) => {
    heard.push(`second ${pending}`);
    if (pending === 1) for (const value of meanwhile.splice(0)) set(value);
  });
  set(0);
  set(1);
  expect(heard).toEqual(['first 0', 'second 0', 'first 1', 'second 1']);
});

test('tells what a listener causes when all have heard the one before', () => {
  const { all, set } = subscribers();
  const heard: string[] = [];
  all.add(({ pending }) => {
    heard.push(`first ${pending}`);
    if (pending === 1) set(2);
  });
  all.add(({ pending }) => heard.push(`second ${pending}`));
  set(1);
  expect(heard).toEqual(['first 0', 'second 0', 'first 1', 'second 1', 'first 2', 'second 2']);
});
