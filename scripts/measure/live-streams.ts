/**
 * The figures of docs/scaling.md about streams: `npx tsx scripts/measure/live-streams.ts`, or with other numbers of streams behind it. A
 * server process of its own on the PostgreSQL at DATABASE_URL, or on one of this script's, and the readers in this process, over sockets;
 * takes half a minute for each number.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { loadavg } from 'node:os';
import { toNodeHandler } from '../../packages/protocol-sync/src/http/node.js';
import { createSyncEndpoint } from '../../packages/protocol-sync/src/http/sync-endpoint.js';
import { openPostgresFixture } from '../../packages/protocol-sync/src/storage/postgres/postgres-database.fixture.js';
import { startPostgres } from '../../packages/protocol-sync/src/storage/postgres/postgres-server.fixture.js';
import { SyncHandler } from '../../packages/protocol-sync/src/sync-handler.js';
import { StreamReaders } from './stream-readers.js';

const PORT = 41_873;
const COMMITS = 7;

/** What the server process tells of itself. */
interface Usage {
  readonly bytes: number;
  readonly processorMs: number;
}

if (process.argv[2] === 'serve') await serve(process.argv[3] ?? '');
else await measureAll(process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1000, 5000]);

async function measureAll(counts: readonly number[]): Promise<void> {
  const own = process.env.DATABASE_URL ? undefined : await startPostgres();
  const url = process.env.DATABASE_URL ?? own?.url ?? '';
  try {
    for (const count of counts) await measure(count, url);
  } finally {
    await own?.remove();
  }
}

async function measure(count: number, url: string): Promise<void> {
  console.log(`${count} streams, load average ${loadavg()[0]?.toFixed(1)}:`);
  const server = await startServer(url);
  const before = await ask<Usage>(server, 'usage');
  const readers = new StreamReaders(PORT);
  await readers.open(count);
  const after = await ask<Usage>(server, 'usage');
  console.log(`  memory each: ${((after.bytes - before.bytes) / count / 1024).toFixed(0)} KB`);

  const times: number[] = [];
  for (let commit = 0; commit < COMMITS; commit++) {
    const told = readers.untilTold(count);
    const began = performance.now();
    await ask(server, 'commit');
    await told;
    times.push(performance.now() - began);
  }
  const used = (await ask<Usage>(server, 'usage')).processorMs - after.processorMs;
  const sorted = times.toSorted((a, b) => a - b);
  const seconds = (ms: number | undefined) => `${((ms ?? 0) / 1000).toFixed(2)} s`;
  console.log(
    `  from a commit to the last poke: median ${seconds(sorted[COMMITS >> 1])}, worst ${seconds(sorted.at(-1))}`,
  );
  console.log(`  processor time a commit: ${seconds(used / COMMITS)}`);

  const stopped = performance.now();
  server.kill('SIGTERM');
  await once(server, 'exit');
  const next = await startServer(url);
  const started = performance.now();
  const back: string[] = [];
  for (const share of [0.9, 0.99, 1]) {
    await readers.untilOpen(count * share);
    back.push(`${100 * share} % after ${seconds(performance.now() - started)}`);
  }
  console.log(`  restarted, with nobody there for ${seconds(started - stopped)}: back were ${back.join(', ')}`);
  readers.close();
  next.kill('SIGTERM');
  await once(next, 'exit');
}

async function startServer(url: string): Promise<ChildProcess> {
  const execArgv = [...process.execArgv, '--expose-gc'];
  const server = fork(import.meta.filename, ['serve', url], { execArgv });
  await once(server, 'message');
  return server;
}

async function ask<Answer>(server: ChildProcess, what: string): Promise<Answer> {
  server.send(what);
  const [answer] = await once(server, 'message');
  return answer as Answer;
}

async function serve(url: string): Promise<void> {
  const fixture = await openPostgresFixture(url);
  const handler = new SyncHandler({ store: fixture.store });
  const server = createServer(toNodeHandler(createSyncEndpoint({ handler, realtime: true })));
  let commits = 0;
  process.on('message', async (what) => {
    if (what === 'commit') {
      commits += 1;
      await handler.recordChange({
        objectName: 'task',
        recordId: 't1',
        operation: 'create',
        data: { n: commits },
      });
    } else global.gc?.();
    const { user, system } = process.cpuUsage();
    process.send?.({ bytes: process.memoryUsage().rss, processorMs: (user + system) / 1000 } satisfies Usage);
  });
  process.once('SIGTERM', async () => {
    server.close();
    await handler.close();
    await fixture.remove();
    process.disconnect();
  });
  server.listen(PORT, '127.0.0.1', 4096);
  await once(server, 'listening');
  process.send?.('ready');
}
