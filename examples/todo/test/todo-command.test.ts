import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { httpTransport, SyncPlugin } from '@objectql/plugin-sync';
import { expect, it, onTestFinished } from 'vitest';

const tsx = createRequire(import.meta.url).resolve('tsx/cli');
const command = fileURLToPath(new URL('../todo.ts', import.meta.url));

it('one command serves the app and its first tasks, and keeps what is done for the next start', async () => {
  const data = await mkdtemp(join(tmpdir(), 'todo-'));
  onTestFinished(() => rm(data, { recursive: true }));
  const first = await start(data);
  const page = await fetch(first.url);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<title>Todo</title>')]);
  const [, , newest] = await first.tasks();
  expect(newest?.data).toEqual({ title: 'Water the tomatoes', done: false });
  await first.rename(String(newest?.recordId), 'Water the basil');
  await first.stop();

  const second = await start(data);
  expect((await second.tasks()).map(({ data }) => data.title)).toEqual([
    'Return the library books',
    'Call Grandma about Sunday',
    'Water the basil',
  ]);
  await second.stop();
});

async function start(data: string) {
  const env = { ...process.env, PORT: '0', TODO_DATA: data };
  const child = spawn(process.execPath, [tsx, command], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const url = await urlIn(createInterface({ input: child.stdout }));
  const sync = new SyncPlugin({ clientId: 'test', transport: httpTransport({ url: `${url}/api/sync` }) });
  const { records } = sync.getEngine('task');
  return {
    url,
    async tasks() {
      await sync.syncAll();
      return (await records.list()).toSorted((a, b) => (a.recordId < b.recordId ? -1 : 1));
    },
    async rename(id: string, title: string) {
      await records.update(id, { title });
      await sync.syncAll();
    },
    async stop() {
      await sync.close();
      child.kill();
      await once(child, 'exit');
    },
  };
}

async function urlIn(lines: AsyncIterable<string>): Promise<string> {
  for await (const line of lines) {
    const url = /http:\S+/.exec(line)?.[0];
    if (url !== undefined) return url;
  }
  throw new Error('The command ended without telling where the app is.');
}
