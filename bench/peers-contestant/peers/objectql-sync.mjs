// Our client for the harness, memory to memory. The durable variants are made of the same parts.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { httpTransport, MemoryStorage, MutationLogger, SyncPlugin } from '@objectql/plugin-sync';
import { FileStorage } from '@objectql/plugin-sync/file';
import { lastWriteWins } from '@objectql/sync-types';
import { digest, FIELDS, makeRecord, recId, w1, w1Expected, w2, w4 } from '../lib/workload.mjs';

/** The adapter of one variant: `storage` is `memory` or `file`, `store` what the server is started with. */
export function contestant({ storage, store }) {
  let server;
  let url;
  const openStorage = () => {
    if (storage === 'memory') return new MemoryStorage();
    const folder = mkdtempSync(join(tmpdir(), 'objectql-sync-peer-'));
    process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
    return new FileStorage(join(folder, 'client.journal'));
  };
  const open = (clientId) => {
    const plugin = new SyncPlugin({
      clientId,
      storage: openStorage(),
      transport: httpTransport({ url: `${url}/api/sync` }),
      defaultConfig: { enabled: true, strategy: 'last-write-wins' },
      listeners: [{ onSyncError: (error) => console.error(error) }],
    });
    const tasks = plugin.getEngine('task');
    return {
      plugin,
      tasks,
      async sync() {
        tasks.resume();
        if (!(await plugin.syncAll())) throw new Error('Sync failed.');
      },
      async digest() {
        return digest((await tasks.records.list()).map(({ recordId, data }) => [recordId, data]));
      },
    };
  };

  async function push(params, context) {
    const { creates, updates } = w1(params);
    await server.call('seed', params.existing);
    const device = open('device');
    await device.sync();
    device.tasks.pause();
    await context.mark();
    const start = performance.now();
    for (const [id, data] of creates) device.tasks.records.create(id, data);
    for (const [id, field, value] of updates) await device.tasks.records.update(id, { [field]: value });
    await device.tasks.flush();
    const recorded = performance.now();
    await device.sync();
    const end = performance.now();
    const used = await context.measure();
    const digests = [await device.digest(), await server.call('digest'), w1Expected(params)];
    const phases = { local: recorded - start, sync: end - recorded };
    const verified = new Set(digests).size === 1;
    return { ops: creates.length + updates.length, ms: end - start, phases, verified, ...used };
  }

  async function fanIn(params, context) {
    const { muts } = w2(params);
    await server.call('seed', params.records);
    const devices = muts.map((_, n) => open(`device-${n}`));
    for (const device of devices) {
      await device.sync();
      device.tasks.pause();
    }
    await context.mark();
    const start = performance.now();
    for (const [n, { tasks }] of devices.entries()) {
      for (const [id, field, value] of muts[n]) await tasks.records.update(id, { [field]: value });
      await tasks.flush();
    }
    const recorded = performance.now();
    await Promise.all(devices.map((device) => device.sync()));
    await Promise.all(devices.map((device) => device.sync()));
    const end = performance.now();
    const used = await context.measure();
    const digests = await Promise.all([server.call('digest'), ...devices.map((device) => device.digest())]);
    const phases = { local: recorded - start, sync: end - recorded };
    return { ops: muts.flat().length, ms: end - start, phases, verified: new Set(digests).size === 1, ...used };
  }

  async function firstSync({ n }, context) {
    await server.call('seed', n);
    const device = open('device');
    await context.mark();
    const start = performance.now();
    await device.sync();
    const ms = performance.now() - start;
    const used = await context.measure();
    return { ops: n, ms, verified: (await device.digest()) === (await server.call('digest')), ...used };
  }

  async function log({ n, batch }, context) {
    const mutations = w4(n);
    const logger = new MutationLogger('device', { storage: openStorage() });
    await logger.load();
    const ids = [];
    await context.mark();
    const start = performance.now();
    for (const { op, id, data } of mutations) {
      ids.push(logger.append({ objectName: 'task', recordId: id, operation: op, data, baseVersion: null }).id);
    }
    await logger.flush();
    const appended = performance.now();
    for (let from = 0; from < n; from += batch) logger.acknowledge(ids.slice(from, from + batch));
    await logger.flush();
    const end = performance.now();
    const phases = { appendUs: (1000 * (appended - start)) / n, ackUs: (1000 * (end - appended)) / n };
    return { ops: n, ms: end - start, phases, verified: logger.size === 0, ...(await context.measure()) };
  }

  async function catchUp({ n, behind, pulls }, context) {
    await server.call('seed', n);
    const device = open('device');
    await device.sync();
    const times = [];
    await context.mark();
    for (let round = 0; round < pulls; round++) {
      await server.call('change', behind, 900 + round);
      const start = performance.now();
      await device.sync();
      times.push(performance.now() - start);
    }
    const used = await context.measure();
    times.sort((a, b) => a - b);
    const phases = { p90: times[Math.floor(times.length * 0.9)] };
    const verified = (await device.digest()) === (await server.call('digest'));
    return { ops: behind, ms: times[times.length >> 1], phases, verified, ...used };
  }

  async function merge({ merges, records, perMsg }, context) {
    const inbox = [];
    for (let n = 0; n < merges / perMsg / 2; n++) {
      for (let writer = 0; writer < 2; writer++) {
        const time = n * 2 + (writer ? -1 : 1) * (n % 3);
        const stamp = { time, logId: `log-${writer}`, sequence: n + 1 };
        inbox.push({ id: recId(n % records), stamp, data: makeRecord(n * 2 + writer) });
      }
    }
    const replica = new Map();
    await context.mark();
    const start = performance.now();
    for (const { id, stamp, data } of inbox) {
      const theirs = replica.get(id) ?? { record: {}, stamps: {} };
      replica.set(id, theirs);
      const mine = { operation: 'update', data, stamp };
      const contest = { kind: 'update-update', objectName: 'task', recordId: id, mine, theirs, fields: FIELDS };
      const { drop } = lastWriteWins(contest);
      for (const field of FIELDS) {
        if (drop.includes(field)) continue;
        theirs.record[field] = data[field];
        theirs.stamps[field] = stamp;
      }
    }
    const ms = performance.now() - start;
    return { ops: merges, ms, verified: replica.size === records, ...(await context.measure()) };
  }

  return {
    name: `ObjectQL Sync (${storage} ↔ ${store})`,
    meta: {
      version: 'this revision',
      transport: 'HTTP JSON, gzip, 500 mutations a push, 500 records a page',
      clientDurability: storage === 'memory' ? 'none' : 'file, synced at every commit',
      serverDurability: { memory: 'none', sqlite: 'file, WAL, synchronous=FULL', postgres: 'fsync on' }[store],
      conflict: 'field by field, last write wins; exactly once; conflicts reported',
    },
    workloads: storage === 'memory' ? ['W1', 'W2', 'W3', 'W4', 'W5', 'W6'] : ['W1', 'W2', 'W3', 'W4', 'W5'],
    async setup(workload, _params, context) {
      if (workload === 'W4' || workload === 'W6') return;
      server = await context.startServer('servers/objectql-sync.mjs', [store]);
      url = `http://127.0.0.1:${await server.call('port')}`;
    },
    run: (workload, params, context) =>
      ({ W1: push, W2: fanIn, W3: firstSync, W4: log, W5: catchUp, W6: merge })[workload](params, context),
    async teardown() {},
  };
}

export const { name, meta, workloads, setup, run, teardown } = contestant({ storage: 'memory', store: 'memory' });
