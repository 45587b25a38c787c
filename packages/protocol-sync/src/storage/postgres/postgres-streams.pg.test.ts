import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';
import { bundleProgram } from '../../../../../scripts/build/bundle-program.js';
import { EventReader } from '../../http/event-reader.fixture.js';
import { post, pushBody } from '../../http/requests.fixture.js';
import { openPostgresFixture } from './postgres-database.fixture.js';
import { quoteSchema } from './postgres-schema.js';

test('wakes the streams of every process, also after the connection that listens was cut', async () => {
  const app = await application();
  const [first, second] = await Promise.all([app.startServer('first'), app.startServer('second')]);
  const streams = [await first.stream(), await second.stream()];
  const places = (place: number) => Promise.all(streams.map((stream) => stream.place(place)));
  const beginning = await places(0);
  await first.push(1);
  const afterFirst = await places(1);
  await second.push(2);
  const afterSecond = await places(2);
  const cut = await app.cut('first');
  await second.push(3);
  const afterCut = await places(3);
  expect({ beginning, afterFirst, afterSecond, isCut: cut > 0, afterCut }).toEqual({
    beginning: [0, 0],
    afterFirst: [1, 1],
    afterSecond: [2, 2],
    isCut: true,
    afterCut: [3, 3],
  });
});

/** Server processes on one database, each known to it by a name. */
async function application() {
  const url = inject('postgresUrl');
  const { schema, connect, remove } = await openPostgresFixture(url);
  onTestFinished(remove);
  const pool = connect();
  const table = `${quoteSchema(schema)}.writes`;
  await pool.query(`CREATE TABLE ${table} (mutation_id text COLLATE "C" NOT NULL)`);
  // PostgreSQL cuts names at 63 bytes.
  const nameOf = (name: string) => `${name} ${schema}`.slice(0, 63);
  return {
    /** Cuts all connections of a server; answers how many there were. */
    async cut(name: string): Promise<number> {
      const text = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1';
      return (await pool.query(text, [nameOf(name)])).rowCount ?? 0;
    },
    async startServer(name: string) {
      const script = await bundleProgram(fileURLToPath(new URL('postgres-sync-server.fixture.ts', import.meta.url)));
      const named = new URL(url);
      named.searchParams.set('application_name', nameOf(name));
      const child = spawn(process.execPath, [script, named.href, schema, table], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const [port] = await once(createInterface(child.stdout), 'line');
      const urlOf = (action: string) => `http://127.0.0.1:${port}/api/sync/${action}`;
      return {
        stream: async () => new EventReader(await fetch(urlOf('stream'))),
        /** Pushes the `n`th new record. */
        async push(n: number): Promise<void> {
          const [mutation] = pushBody().mutations;
          if (!mutation) throw new Error('A push has one mutation.');
          const mutations = [{ ...mutation, id: `mutation-${n}`, recordId: `task-${n}`, sequence: n }];
          const answer = await fetch(urlOf('push'), post(pushBody({ mutations })));
          expect(await answer.json()).toMatchObject({ results: [{ status: 'applied' }] });
        },
      };
    },
  };
}
