import { expect, test } from 'vitest';
import { SyncPlugin } from '../sync-plugin.js';

interface Task {
  readonly title: string;
  readonly done?: boolean;
}

const offline = () =>
  new SyncPlugin({ clientId: 'device-1', transport: { push: () => Promise.reject(new Error('offline')) } });

test('gives records the fields the app says they have', async () => {
  await using sync = offline();
  const { records } = sync.getEngine<Task>('task');
  records.create('task-1', { title: 'Paint the door' });
  await records.update('task-1', { done: true });

  const task = await records.get('task-1');
  const title: string | undefined = task?.data.title;
  expect([title, (await records.list()).map(({ data }) => data.done)]).toEqual(['Paint the door', [true]]);
});

test('lets the compiler refuse what are not the fields of the object', async () => {
  await using sync = offline();
  const { records } = sync.getEngine<Task>('task');
  // @ts-expect-error: `title` is missing.
  records.create('task-1', { done: true });
  // @ts-expect-error: no task has a `name`.
  await records.update('task-1', { name: 'Paint the door' });
  // Not said, any field will do.
  await sync.getEngine('task').records.update('task-1', { name: 'Paint the door' });
  expect((await records.get('task-1'))?.data).toEqual({ done: true, name: 'Paint the door' });
});
