/** W1: as many creates as updates, made offline, then sent until the server has everything and the device knows it. */
import { type Case, type Measured, oursOf } from '../case.js';
import { digestAfter } from '../data/digest.js';
import { type PushData, pushData } from '../data/workload-data.js';
import { Device, openStorage } from '../process/device.js';
import { Meter } from '../process/meter.js';
import { ServerLink } from '../process/server-link.js';
import { FloorClient } from './floor-client.js';
import { timed } from './stopwatch.js';

export async function push(asked: Case): Promise<Measured> {
  const data = pushData(asked.size);
  const expected = digestAfter([...data.existing, ...data.creates, ...data.updates]);
  return asked.contestant === 'floor' ? pushFloor(data, expected) : pushOurs(asked, data, expected);
}

async function pushOurs(asked: Case, data: PushData, expected: string): Promise<Measured> {
  const { storage, store } = oursOf(asked);
  const { batch } = asked;
  const server = await ServerLink.start({ serves: 'sync', store, ...(batch ? { maxMutations: batch } : {}) });
  await server.apply(data.existing);
  const opened = await openStorage(storage);
  const device = new Device({ url: server.url, clientId: 'device', storage: opened, batchSize: batch });
  await device.sync();
  device.goOffline();
  const meter = new Meter(server);
  await meter.start();
  const localMs = await timed(async () => {
    for (const [id, task] of data.creates) device.tasks.records.create(id, task);
    for (const [id, edit] of data.updates) await device.tasks.records.update(id, edit);
    await device.tasks.flush();
  });
  const syncMs = await timed(() => device.sync());
  const used = await meter.stop();
  const digests = [await device.digest(), await server.digest()];
  const isVerified = digests.every((digest) => digest === expected) && device.tasks.status.pending === 0;
  await device.close();
  await server.stop();
  const ops = data.creates.length + data.updates.length;
  return { ops, ms: localMs + syncMs, parts: { localMs, syncMs }, used, isVerified };
}

async function pushFloor(data: PushData, expected: string): Promise<Measured> {
  const server = await ServerLink.start({ serves: 'floor' });
  await server.apply(data.existing);
  const client = new FloorClient(server.url);
  client.startFrom(data.existing);
  const meter = new Meter(server);
  await meter.start();
  const localMs = await timed(() => {
    for (const [id, task] of data.creates) client.change(id, task);
    for (const [id, edit] of data.updates) client.change(id, edit);
  });
  const syncMs = await timed(() => client.push());
  const used = await meter.stop();
  const isVerified = client.digest() === expected && (await server.digest()) === expected;
  await server.stop();
  const ops = data.creates.length + data.updates.length;
  return { ops, ms: localMs + syncMs, parts: { localMs, syncMs }, used, isVerified };
}
