/** Kills a device or its server with SIGKILL at moments drawn from a seed, again and again, and looks at what is left. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteStore, SyncHandler } from '@objectql/protocol-sync';
import Database from 'libsql';
import { bundleProgram } from '../../../../scripts/build/bundle-program.js';
import { lastingPort } from '../../../protocol-sync/src/http/lasting-port.fixture.js';
import { temporaryFolder } from '../sync-server.js';
import { startNeighbour } from './neighbour.js';
import { readTable } from './table-resolver.js';

export interface CrashRunOptions {
  readonly seed: number;
  readonly kills: number;
  readonly victim: 'client' | 'server';
  /** What the device keeps its state in. */
  readonly storage: 'sqlite' | 'file';
  /** Where the server keeps records: in the sync store, or in a database that shares no transaction with it. */
  readonly records: 'store' | 'table';
}

export interface CrashRun {
  /** Mutations whose `flush` had resolved, over all lives of the device. */
  readonly durable: number;
  /** Mutations of another device that the server had answered as applied. */
  readonly confirmed: number;
  /** Durable or confirmed mutations the server does not have. */
  readonly lost: readonly string[];
  /** Records whose version is not the number of mutations in them: something was applied twice. */
  readonly repeated: readonly unknown[];
  /** What the device says in the end. */
  readonly left: { readonly pending: number; readonly conflicts: number; readonly deadLetters: number };
  /** Whether the device, and the application's table where there is one, end as the server's feed does. */
  readonly isEqual: boolean;
  /** How many kills fell behind which message. */
  readonly killedAfter: Readonly<Record<string, number>>;
}

type ClientMessage = {
  readonly at: string;
  readonly number?: number;
  readonly view?: readonly { readonly recordId: string; readonly data: object }[];
} & Partial<CrashRun['left']>;

const SERVER = await bundleProgram(fileURLToPath(new URL('server-process.ts', import.meta.url)));
const CLIENT = await bundleProgram(fileURLToPath(new URL('client-process.ts', import.meta.url)));

/** 3 ms: about as long as a write to the disk takes, so that a kill falls before, into or behind the step that was told. */
const LONGEST_DELAY_MS = 3;
/** 40 messages: a life long enough for several pushes, short enough that hundreds fit into minutes. */
const LONGEST_LIFE_MESSAGES = 40;

export async function runCrashes({ seed, kills, victim, storage, records }: CrashRunOptions): Promise<CrashRun> {
  const random = mulberry32(seed);
  const folder = temporaryFolder();
  const serverFile = join(folder, 'server.sqlite');
  const tableFile = records === 'table' ? join(folder, 'table.sqlite') : '';
  const clientFile = join(folder, 'client');
  const killedAfter: Record<string, number> = {};
  const durable = new Set<string>();
  let next = 1;
  const port = await lastingPort();
  let server = await startServer([serverFile, tableFile], port);
  const url = `http://127.0.0.1:${port}/api/sync`;
  const neighbour = startNeighbour(url);

  let isServerDown = false;
  for (let kill = 0; kill < kills; kill++) {
    if (isServerDown) server = await startServer([serverFile, tableFile], port);
    const life = 1 + Math.floor(random() * LONGEST_LIFE_MESSAGES);
    const delayMs = random() * LONGEST_DELAY_MS;
    const client = fork(CLIENT, [storage, clientFile, url, String(next), 'work']);
    const target = victim === 'client' ? client : server;
    let messages = 0;
    // The neighbour's pushes count for a server's life only once the device has started, or it might never get a turn.
    let isDeviceUp = false;
    const count = (name: string) => {
      messages += 1;
      if (messages !== life) return;
      killedAfter[name] = (killedAfter[name] ?? 0) + 1;
      setTimeout(() => target.kill('SIGKILL'), delayMs);
    };
    client.on('message', (message: ClientMessage) => {
      isDeviceUp ||= message.at === 'durable';
      if (message.at === 'durable' && message.number !== undefined) durable.add(`m${message.number}`);
      if (message.number !== undefined) next = Math.max(next, message.number + 1);
      if (victim === 'client') count(message.at);
    });
    if (victim === 'server') server.on('message', (message) => isDeviceUp && count(String(message)));
    await ended(target);
    isServerDown = victim === 'server';
    if (isServerDown) {
      client.kill('SIGKILL');
      await ended(client);
    }
  }

  if (isServerDown) server = await startServer([serverFile, tableFile], port);
  const confirmed = await neighbour.stop();
  const last = fork(CLIENT, [storage, clientFile, url, String(next), 'finish']);
  const finished = await new Promise<ClientMessage>((resolve, reject) => {
    last.on('message', (message: ClientMessage) => message.at === 'finished' && resolve(message));
    last.once('exit', (code) => reject(new Error(`The device ended with ${code} before it had finished.`)));
  });
  await ended(last);
  server.kill('SIGKILL');
  await ended(server);

  const stored = await readServer(serverFile);
  const applied = new Set(stored.flatMap(({ data }) => Object.keys(data)));
  const views = [finished.view ?? [], ...(tableFile ? [readTable(tableFile)] : [])];
  return {
    durable: durable.size,
    confirmed: confirmed.length,
    lost: [...durable, ...confirmed].filter((field) => !applied.has(field)),
    repeated: stored.filter(({ data, serverVersion }) => Object.keys(data).length !== serverVersion),
    left: {
      pending: finished.pending ?? -1,
      conflicts: finished.conflicts ?? -1,
      deadLetters: finished.deadLetters ?? -1,
    },
    isEqual: views.every((view) => textOf(stored) === textOf(view)),
    killedAfter,
  };
}

function textOf(records: readonly { readonly recordId: unknown; readonly data: object }[]): string {
  const texts = records.map(({ recordId, data }) => JSON.stringify([recordId, Object.keys(data).sort()]));
  return texts.sort().join('\n');
}

async function readServer(file: string) {
  const database = new Database(file);
  await using handler = new SyncHandler({ store: new SqliteStore(database) });
  const { serverChanges } = await handler.handlePull({ clientId: 'inspector', lastCheckpoint: null });
  return serverChanges.map(({ recordId, data = {}, serverVersion }) => ({ recordId, data, serverVersion }));
}

async function startServer(files: readonly string[], port: number): Promise<ChildProcess> {
  const child = fork(SERVER, [String(port), ...files]);
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message) => message === 'listening' && resolve());
    child.once('exit', (code) => reject(new Error(`The server ended with ${code} before it was ready.`)));
  });
  return child;
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** A seeded generator, so that a run can be drawn again; where the kill falls still depends on the machine. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
