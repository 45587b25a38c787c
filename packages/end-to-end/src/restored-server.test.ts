/** A server that is restored from an older copy of its database, and an operator who tells nobody. */
import { join } from 'node:path';
import { httpTransport, SyncPlugin, type SyncTransport } from '@objectql/plugin-sync';
import type { SyncWarning } from '@objectql/protocol-sync';
import { afterEach, expect, it } from 'vitest';
import { TestPlatform } from '../../plugin-sync/src/platform/test-platform.js';
import { SyncServer, type SyncServerOptions, temporaryFolder } from './sync-server.js';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const resource of open.splice(0).reverse()) await resource[Symbol.asyncDispose]();
});

it('finds out a device that is past the copy, however far others have written since', async () => {
  const world = await startWorld();
  const [a, b] = [world.startDevice('a'), world.startDevice('b')];
  await a.write('early', 100);
  await b.sync();
  await world.backUp();
  await a.write('lost', 50);
  await a.records.update('early-1', { by: 'a, lost' });
  await a.sync();
  await a.records.update('early-2', { by: 'a, unsent' });
  await a.records.update('early-3', { by: 'a, unsent' });

  await world.restore();
  await b.write('late', 60);
  await b.records.update('early-2', { note: 'b' });
  await b.sync();
  await a.sync();
  await b.sync();

  const expected = [
    ...named('early', 100).map((id) => [id, ...(DECIDED[id] ?? [{ by: 'a' }, 1])]),
    ...named('late', 60).map((id) => [id, { by: 'b' }, 1]),
  ].sort();
  expect(await a.view()).toEqual(expected);
  expect(await b.view()).toEqual(expected);
  expect([a.resets, b.resets]).toEqual([['epoch'], []]);
  expect(world.warnings.map(({ code }) => code)).toEqual(['CHECKPOINT_AHEAD']);
  expect([a.plugin.client.status, b.plugin.client.status]).toMatchObject([
    { pending: 0, conflicts: 0, deadLetters: 0 },
    { pending: 0, conflicts: 0, deadLetters: 0 },
  ]);
});

it('finds out what a device knows of its own writes alone, which never asks for others', async () => {
  const world = await startWorld();
  const [a, b] = [world.startDevice('a', 'push-only'), world.startDevice('b')];
  await b.write('early', 1);
  await world.backUp();
  await a.records.create('early-1', { by: 'a' });
  await a.sync();
  await world.restore();
  await b.write('late', 3);
  await b.records.update('early-1', { by: 'b, later' });
  await b.sync();
  await a.records.create('mine', { by: 'a' });
  await a.sync();
  expect([a.resets, b.resets]).toEqual([['epoch'], []]);
});

it('goes on with every device when it is only started again, many times', async () => {
  const world = await startWorld();
  const [a, b] = [world.startDevice('a'), world.startDevice('b')];
  for (let round = 0; round < 4; round++) {
    await (round % 2 ? a : b).write(`round ${round}`, 2);
    await world.restart();
  }
  await a.sync();
  await b.sync();
  expect(await a.view()).toEqual(await b.view());
  expect([a.resets, b.resets, world.warnings]).toEqual([[], [], []]);
});

it('resets nobody but the sender of a checkpoint that is made up', async () => {
  const world = await startWorld();
  const [a, b] = [world.startDevice('a'), world.startDevice('b')];
  await a.write('early', 2);
  await b.sync();
  const { checkpoint } = await world.pull(null);
  const [version, epoch] = checkpoint.split('.');
  const forged = [`${version}.${epoch}.999999.0.`, `${version}.${epoch}.1.0..999999`, `${version}.made-up.1.0.`];
  const resets = [];
  for (const text of forged) resets.push((await world.pull(text)).reset);
  await a.write('late', 2);
  await b.sync();
  expect([resets, a.resets, b.resets]).toEqual([['epoch', 'epoch', 'epoch'], [], []]);
});

/** The records that are not as they were made. */
const DECIDED: Record<string, readonly [data: object, version: number]> = {
  // What A had changed after the copy is gone with it.
  'early-2': [{ by: 'a, unsent', note: 'b' }, 3],
  'early-3': [{ by: 'a, unsent' }, 2],
};

function named(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);
}

/** One server after another on one address, and devices that know only the address. */
async function startWorld() {
  const warnings: SyncWarning[] = [];
  const backup = join(temporaryFolder(), 'backup.sqlite');
  const start = async (options: SyncServerOptions = {}) => {
    const started = await SyncServer.start({
      strategy: 'last-write-wins',
      onWarning: (warning) => warnings.push(warning),
      ...options,
    });
    open.push(started);
    return started;
  };
  let server = await start();
  let devices = 0;
  const restartOn = async (file: string) => {
    open.splice(open.indexOf(server), 1);
    await server.close();
    server = await start({ file });
  };
  return {
    warnings,
    pull: (lastCheckpoint: string | null) => server.pull({ lastCheckpoint }),
    async backUp() {
      server.database.prepare('VACUUM INTO ?').run(backup);
    },
    restore: () => restartOn(backup),
    restart: () => restartOn(server.file),
    startDevice(clientId: string, direction: 'bidirectional' | 'push-only' = 'bidirectional') {
      const resets: string[] = [];
      const transport: SyncTransport = {
        push: (request, options) => httpTransport({ url: server.url }).push(request, options),
      };
      const plugin = new SyncPlugin({
        clientId,
        transport,
        platform: new TestPlatform({ now: Date.now(), seed: ++devices }),
        defaultConfig: { enabled: true, direction },
        listeners: [{ onSyncComplete: ({ reset }) => void (reset && resets.push(reset)) }],
      });
      open.push(plugin);
      const { records } = plugin.getEngine('task');
      const sync = () => plugin.syncAll();
      return {
        plugin,
        records,
        resets,
        sync,
        async write(prefix: string, count: number) {
          for (const id of named(prefix, count)) records.create(id, { by: clientId });
          await sync();
        },
        async view() {
          return (await records.list()).map(({ recordId, data, version }) => [recordId, data, version]).sort();
        },
      };
    },
  };
}
