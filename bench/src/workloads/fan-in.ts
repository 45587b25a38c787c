/** W2: ten devices edit shared records offline, then sync until every replica and the server are equal. */
import { type Case, type Measured, oursOf } from '../case.js';
import { fanInData } from '../data/workload-data.js';
import { Device, openStorage } from '../process/device.js';
import { Meter } from '../process/meter.js';
import { ServerLink } from '../process/server-link.js';
import { FloorClient } from './floor-client.js';
import { timed } from './stopwatch.js';

const CLIENTS = 10;

/** `size` is all edits together; there is one record for ten of them. */
export async function fanIn(asked: Case): Promise<Measured> {
  const data = fanInData({ clients: CLIENTS, edits: asked.size / CLIENTS, records: asked.size / 10 });
  return asked.contestant === 'floor' ? fanInFloor(data) : fanInOurs(asked, data);
}

async function fanInOurs(asked: Case, data: ReturnType<typeof fanInData>): Promise<Measured> {
  const { storage, store } = oursOf(asked);
  const { batch } = asked;
  const server = await ServerLink.start({ serves: 'sync', store, ...(batch ? { maxMutations: batch } : {}) });
  await server.apply(data.existing);
  const devices: Device[] = [];
  for (const client of data.editsByClient.keys()) {
    const opened = await openStorage(storage);
    const device = new Device({ url: server.url, clientId: `device-${client}`, storage: opened, batchSize: batch });
    await device.sync();
    device.goOffline();
    devices.push(device);
  }
  const meter = new Meter(server);
  await meter.start();
  const localMs = await timed(async () => {
    for (const [client, device] of devices.entries()) {
      for (const [id, edit] of data.editsByClient[client] ?? []) await device.tasks.records.update(id, edit);
      await device.tasks.flush();
    }
  });
  const syncMs = await timed(async () => {
    await Promise.all(devices.map((device) => device.sync()));
    // Who was done first has not seen what the others sent last.
    await Promise.all(devices.map((device) => device.sync()));
  });
  const used = await meter.stop();
  const digest = await server.digest();
  const digests = await Promise.all(devices.map((device) => device.digest()));
  const isVerified = digests.every((own) => own === digest) && devices.every(({ tasks }) => tasks.status.pending === 0);
  for (const device of devices) await device.close();
  await server.stop();
  return { ops: asked.size, ms: localMs + syncMs, parts: { localMs, syncMs }, used, isVerified };
}

async function fanInFloor({ existing, editsByClient }: ReturnType<typeof fanInData>): Promise<Measured> {
  const server = await ServerLink.start({ serves: 'floor' });
  await server.apply(existing);
  const clients = editsByClient.map(() => {
    const client = new FloorClient(server.url);
    client.startFrom(existing);
    return client;
  });
  const meter = new Meter(server);
  await meter.start();
  const localMs = await timed(() => {
    for (const [index, client] of clients.entries()) {
      for (const [id, edit] of editsByClient[index] ?? []) client.change(id, edit);
    }
  });
  const syncMs = await timed(async () => {
    await Promise.all(clients.map((client) => client.push()));
    await Promise.all(clients.map((client) => client.pull()));
  });
  const used = await meter.stop();
  const digest = await server.digest();
  const isVerified = clients.every((client) => client.digest() === digest);
  await server.stop();
  const ops = editsByClient.reduce((sum, edits) => sum + edits.length, 0);
  return { ops, ms: localMs + syncMs, parts: { localMs, syncMs }, used, isVerified };
}
