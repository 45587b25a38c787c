import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { create, setUp } from '../sync-handler.fixture.js';

it.each([
  [
    'throws',
    () => {
      throw new Error('the socket is closed');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('the socket is closed'))],
])('I13 tells those behind a watcher that %s, and the operator of it', async (_, fail) => {
  const { handler, push, warnings } = setUp();
  const heard: string[] = [];
  await handler.watch(null, { onPoke: fail, onEnd: fail });
  await handler.watch(null, { onPoke: (poked) => void heard.push(poked), onEnd: () => void heard.push('end') });
  await push({ mutations: [create({ title: 'x' })] });
  await nextTurn();
  await handler.close();
  await nextTurn();
  expect(heard).toEqual(['2.id-1.0.0.', '2.id-1.1.0.', 'end']);
  const { cause } = warnings[0] ?? {};
  expect(warnings).toEqual(
    Array(3).fill(expect.objectContaining({ code: 'WATCHER_FAILED', cause: expect.any(Error) })),
  );
  expect(String(cause)).toContain('the socket is closed');
});
